"""Each refusal as a bank statement: what was asked, what the books answered, what was left.

A script is a table, a line an event, read by `play`:

    open NAME SIDE CURRENCY [floor N] [closed]
    call                                         what follows travels in one call
    ID [+GROUP] PHASE DEBIT > CREDIT AMOUNT [CURRENCY] [of HOLD] [CHANGE=VALUE] -> CODE
    left NAME POSTED AVAILABLE                   in minor units, on the account's own side

A code is written without its `ledger.`; `ok` was posted. IDs and names are the script's own words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from comptoir.kernel.ids import derived_id, new_id
from comptoir.ledger import api as ledger
from comptoir.ledger import errors
from comptoir.ledger.api import Phase, Side, Transfer
from tests.ledger import books

pytestmark = pytest.mark.usefixtures("module_database")

LINE = re.compile(
    r"(?P<id>\w+) +(\+(?P<group>\d+) +)?(?P<phase>posted|pending|post|void) +"
    r"(?P<debit>\w+) +> +(?P<credit>\w+) +"
    r"(?P<amount>-?\d+)( (?P<currency>[A-Z]+))?( of (?P<hold>\w+))?( (?P<change>\w+)=(?P<value>\w+))?"
    r" +-> (?P<code>\w+)"
)

TWO = """
    open Ann    credit CNY floor 0
    open Shop   credit CNY floor 0
    open Till   debit  CNY
    call
    top  posted Till > Ann 100 -> ok
"""

STATEMENTS = {
    "a transfer moves its amount, once": """
        call
        t1 posted Ann > Shop 30 -> ok
        left Ann  70 70
        left Shop 30 30
        call
        t1 posted Ann > Shop 30 -> exists
        left Ann  70 70
        left Shop 30 30
    """,
    "floor: the last fen may leave, the next may not": """
        call
        t1 posted Ann > Shop 100 -> ok
        t2 posted Ann > Shop   1 -> floor
        left Ann   0   0
        left Shop 100 100
    """,
    "floor: order decides within a call": """
        open Bob credit CNY floor 0
        call
        t1 posted Bob > Shop 10 -> floor
        t2 posted Ann > Bob  10 -> ok
        t3 posted Bob > Shop 10 -> ok
        left Bob  0  0
        left Ann 90 90
    """,
    "floor: a refusal leaves the money for those behind it": """
        call
        t1 posted Ann > Shop 101 -> floor
        t2 posted Ann > Shop 100 -> ok
        left Shop 100 100
    """,
    "floor: a credit line is a floor below zero": """
        open Line credit CNY floor -50
        call
        t1 posted Line > Shop 50 -> ok
        t2 posted Line > Shop  1 -> floor
        left Line -50 -50
    """,
    "floor: what we own has floors too": """
        open Vault debit CNY floor 0
        call
        t1 posted Vault > Shop  40 -> ok
        t2 posted Shop  > Vault 41 -> floor
        t3 posted Shop  > Vault 40 -> ok
        left Vault 0 0
    """,
    "linked: all legs or none, and the one at fault is named": """
        call
        t1 +1 posted Ann > Shop  30 -> linked
        t2 +1 posted Ann > Shop  80 -> floor
        t3 +1 posted Ann > Shop   5 -> linked
        t4 +2 posted Ann > Shop  60 -> ok
        t5 +2 posted Ann > Shop  40 -> ok
        left Ann    0   0
        left Shop 100 100
    """,
    "linked: every leg that is wrong by itself is named; floors are not looked at then": """
        call
        t1 +1 posted Ann > Shop    0 -> amount_invalid
        t2 +1 posted Ann > Nobody 10 -> account_unknown
        t3 +1 posted Ann > Shop  999 -> linked
        left Ann 100 100
    """,
    "id_reused: another amount, purpose or reversal under a known id": """
        call
        t1 posted Ann > Shop 30 -> ok
        call
        t1 posted Ann > Shop 31                 -> id_reused
        call
        t1 posted Ann > Till 30                 -> id_reused
        call
        t1 posted Ann > Shop 30 kind=other      -> id_reused
        call
        t1 posted Ann > Shop 30 subject_id=else -> id_reused
        call
        t1 posted Ann > Shop 30 reverses_id=top -> id_reused
        left Ann 70 70
    """,
    "an id belongs to its owner: another owner's is another transfer": """
        call
        t1 posted Ann > Shop 30                  -> ok
        t1 posted Ann > Shop 20 owner_id=other   -> ok
        left Ann 50 50
    """,
    "id_repeated: the second of one call is refused, whatever became of the first": """
        call
        t1 posted Ann > Shop 30 -> ok
        t1 posted Ann > Shop 30 -> id_repeated
        t2 posted Ann > Shop  0 -> amount_invalid
        t2 posted Ann > Shop  1 -> id_repeated
        left Ann 70 70
    """,
    "account_unknown, same_account, currency_mismatch, account_closed": """
        open Euro credit EUR
        open Gone credit CNY closed
        call
        t1 posted Ann > Nobody 1     -> account_unknown
        t2 posted Ann > Ann    1     -> same_account
        t3 posted Ann > Euro   1     -> currency_mismatch
        t4 posted Ann > Shop   1 EUR -> currency_mismatch
        t5 posted Ann > Gone   1     -> account_closed
        t6 posted Gone > Ann   1     -> account_closed
        t7 posted Ann > Shop   1     -> ok
        left Ann 99 99
    """,
    "amount_invalid: nothing, less, and more than 16 digits; a stranger beside it is not harmed": """
        call
        t1 posted Till > Ann 0                      -> amount_invalid
        t2 posted Till > Ann -1                     -> amount_invalid
        t3 posted Till > Ann 10000000000000000      -> amount_invalid
        t4 posted Till > Ann 9223372036854775808    -> amount_invalid
        t5 posted Till > Ann 99999999999999999999999999 -> amount_invalid
        t6 posted Till > Ann -9223372036854775809   -> amount_invalid
        t7 posted Till > Ann 9999999999999999       -> ok
        left Ann 10000000000000099 10000000000000099
    """,
    "a hold keeps the money aside; posted it moves": """
        call
        h1 pending Ann > Shop 60 -> ok
        left Ann  100 40
        left Shop   0  0
        call
        t1 posted Ann > Shop 41 -> floor
        call
        p1 post Ann > Shop 60 of h1 -> ok
        left Ann  40 40
        left Shop 60 60
    """,
    "a hold posted in part gives the rest back": """
        call
        h1 pending Ann > Shop 60 -> ok
        call
        p1 post Ann > Shop 25 of h1 -> ok
        left Ann  75 75
        left Shop 25 25
    """,
    "a hold let go gives everything back, and others may use it in the same call": """
        call
        h1 pending Ann > Shop 100 -> ok
        call
        v1 void Ann > Shop 100 of h1 -> ok
        t1 posted Ann > Shop 100     -> ok
        left Ann    0   0
        left Shop 100 100
    """,
    "what a partial posting gives back may be spent in the same call": """
        call
        h1 pending Ann > Shop 100 -> ok
        call
        p1 post Ann > Shop 25 of h1 -> ok
        t1 posted Ann > Shop 75     -> ok
        t2 posted Ann > Shop  1     -> floor
        left Ann    0   0
        left Shop 100 100
    """,
    "pending_unknown: no such hold, not a hold, another owner's, or made in this very call": """
        call
        p1 post Ann > Shop 100 of none -> pending_unknown
        p2 void Till > Ann 100 of top  -> pending_unknown
        h1 pending Ann > Shop 10       -> ok
        p3 post Ann > Shop 10 of h1    -> pending_unknown
        call
        p4 post Ann > Shop 10 of h1 owner_id=other -> pending_unknown
        left Ann 100 90
    """,
    "pending_resolved: a hold ends once, in a later call and in the same": """
        call
        h1 pending Ann > Shop 10 -> ok
        h2 pending Ann > Shop 20 -> ok
        call
        p1 post Ann > Shop 10 of h1 -> ok
        p2 void Ann > Shop 10 of h1 -> pending_resolved
        call
        p3 void Ann > Shop 10 of h1 -> pending_resolved
        p4 void Ann > Shop 20 of h2 -> ok
        left Ann  90 90
        left Shop 10 10
    """,
    "a hold stays open when the first to resolve it is refused": """
        call
        h1 pending Ann > Shop 60 -> ok
        call
        p1 +1 post Ann > Shop 60 of h1 -> linked
        t1 +1 posted Ann > Shop 41     -> floor
        p2 +2 post Ann > Shop 61 of h1 -> pending_exceeded
        p3 +3 void Ann > Shop 60 of h1 -> ok
        p4 +4 post Ann > Shop 60 of h1 -> pending_resolved
        left Ann 100 100
    """,
    "pending_exceeded and pending_mismatch: less may be posted, never more, and all is let go": """
        open Stall credit CNY
        call
        h1 pending Ann > Shop 60 -> ok
        call
        p1 post Ann > Shop  61 of h1     -> pending_exceeded
        p2 void Ann > Shop  59 of h1     -> pending_mismatch
        p3 post Ann > Stall 60 of h1     -> pending_mismatch
        p4 post Ann > Shop  60 EUR of h1 -> pending_mismatch
        p5 posted Ann > Shop 10 of h1    -> pending_mismatch
        p6 pending Ann > Shop 10 of h1   -> pending_mismatch
        left Ann 100 40
    """,
}


@dataclass
class Script:
    """The state of a script that is played."""

    accounts: dict[str, UUID] = field(default_factory=dict)
    call: list[tuple[Transfer, str]] = field(default_factory=list)
    salt: str = field(default_factory=lambda: new_id().hex)

    def id(self, word: str | None) -> UUID | None:
        return None if word is None else derived_id(self.salt, word)

    def play(self, text: str) -> None:
        for line in filter(None, map(str.strip, text.splitlines())):
            match line.split():
                case ["open", name, side, currency, *rest]:
                    floor = int(rest[rest.index("floor") + 1]) if "floor" in rest else None
                    self.accounts[name] = books.account(Side(side), currency, floor, "closed" in rest)
                case ["call"]:
                    self.send()
                case ["left", name, posted, available]:
                    self.send()
                    balance = ledger.balance(self.accounts[name])
                    assert (balance.posted, balance.available) == (int(posted), int(available)), line
                case _:
                    self.call.append(self.read(line))
        self.send()

    def read(self, line: str) -> tuple[Transfer, str]:
        found = LINE.fullmatch(line)
        assert found, line
        debit, credit = (self.accounts.get(found[side], self.id(found[side])) for side in ("debit", "credit"))
        changed = {found["change"]: found["value"]} if found["change"] else {}
        if "kind" not in changed:
            changed = {name: self.id(value) for name, value in changed.items()}
        other = {"owner_id": self.id("owner"), "subject_id": self.id("subject")} | changed
        one = books.transfer(
            debit,
            credit,
            int(found["amount"]),
            id=self.id(found["id"]),
            phase=Phase(found["phase"]),
            group=found["group"] and int(found["group"]),
            currency=found["currency"] or "CNY",
            pending_id=self.id(found["hold"]),
            **other,
        )
        return one, found["code"]

    def send(self) -> None:
        """Send what stands between two `call` lines; nothing moves when all of it is refused."""
        if not self.call:
            return
        transfers, codes = [one for one, _ in self.call], [code for _, code in self.call]
        before = books.everything() if "ok" not in codes else None
        refused = books.post(*transfers)
        assert [refused.get(at, "ledger.ok").removeprefix("ledger.") for at in range(len(codes))] == codes
        assert before in (None, books.everything())
        self.call = []


@pytest.mark.parametrize("text", STATEMENTS.values(), ids=STATEMENTS.keys())
def test_statement(text: str) -> None:
    script = Script()
    script.play(TWO)
    script.play(text)
    assert ledger.verify().differences == []


def test_every_code_of_the_books_has_a_statement() -> None:
    codes = {value for name, value in vars(errors).items() if name.isupper()}
    shown = {f"ledger.{code}" for text in STATEMENTS.values() for code in re.findall(r"-> (\w+)", text)}
    assert codes | {"ledger.ok"} == shown
