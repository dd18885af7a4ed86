"""What the engine and the worker ask of the database, done in memory. Anything new fails until it is here.

Each statement is recognized by its own text, taken from the context that makes it.
"""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable, Sequence
from copy import copy
from datetime import UTC, date, datetime
from functools import partial
from itertools import count
from operator import itemgetter
from typing import Any
from uuid import UUID

import msgspec

from comptoir.acquiring import api as acquiring
from comptoir.db import outbox
from comptoir.fx import api as fx
from comptoir.identity import api as identity
from comptoir.kernel.ids import OPERATOR
from comptoir.ledger import api as ledger
from comptoir.ledger.api import Phase, Side, Transfer
from comptoir.risk import api as risk
from comptoir.wallet import api as wallet
from tests.ledger.model import RESOLVING, Model, ModelAccount
from tests.simulation import sql
from tests.simulation.tables import Key, Table, Values, Work, all_tables

_ANY = datetime(2026, 1, 1, tzinfo=UTC)
_ITEM = outbox.Claimed(outbox.OutboxItem(OPERATOR, OPERATOR, "", OPERATOR, {}, _ANY), 1, 0, _ANY)

#: What is selected of a merchant and its contracts: the table's alias and the column.
_MERCHANT = re.findall(r"\b([mc])\.(\w+)", acquiring.merchants([]).sql.partition("FROM")[0])

#: Where a record says when it will be looked for.
_LOOK_AT = {"acquiring_dispute": "look_at", "acquiring_subscription": "next_at"}
_LOOKED_FOR = ("db_outbox", "acquiring_payment", *_LOOK_AT)

#: What is selected of a merchant's agreement.
_AGREEMENT = re.findall(r"\ba\.(\w+)", acquiring.agreements_by_access([]).sql.partition("FROM")[0])

#: What is written of a document.
_DOCUMENT = re.findall(r"\w+", acquiring.store_documents([], _ANY).sql.partition("(")[2].partition(")")[0])

Params = Sequence[Any]
#: When a row is looked for, a number of its own, and its key.
Entry = tuple[datetime, int, Key]


class _Leg(msgspec.Struct, gc=False):
    """A transfer as the posting function reads it."""

    p: int
    g: int
    id: UUID
    o: UUID
    d: UUID
    c: UUID
    y: str
    k: str
    h: Phase
    s: UUID
    a: int | None = None
    pe: UUID | None = None
    r: UUID | None = None
    e: datetime | None = None


class _Spending(msgspec.Struct, gc=False):
    wallet_id: UUID
    on: date
    amount: int


_LEGS = msgspec.json.Decoder(list[_Leg])
_SPENDINGS = msgspec.json.Decoder(list[_Spending])


class BooksWork(Work):
    """A transaction, with what it did to the books and what is to be told when it commits."""

    def __init__(self) -> None:
        super().__init__()
        self.accounts: dict[UUID, ModelAccount | None] = {}
        self.posted: list[tuple[UUID, UUID]] = []
        self.resolved: list[tuple[UUID, UUID]] = []
        self.done: list[Callable[[BooksWork], None]] = []
        self.waiters: list[Any] = []


class Store:
    """All tables and the books. Transactions, several at a time, are committed and rolled back here."""

    def __init__(self) -> None:
        self.tables = all_tables(("acquiring", "wallet", "fx", "db"))
        self.books = Model()
        #: When the worker will look for committed rows: by topic and owner, the earliest first.
        self._agenda: dict[str, dict[UUID, list[Entry]]] = defaultdict(lambda: defaultdict(list))
        self._filed: dict[tuple[Table, Key], tuple[list[Entry], Entry]] = {}
        self._serial = count()
        #: Where the one API client wants to be told what has no address of its own.
        self.client_url: tuple[str, str] | None = None
        self._look_at = {name: itemgetter(self.table(name).columns[at]) for name, at in _LOOK_AT.items()}
        self._due_charge = self.table("acquiring_subscription").columns_of("client_ref", "phase", "attempt")
        self._payment_ends = self.table("acquiring_payment").columns_of(
            "state", "expires_at", "hold_id", "auth_expires_at"
        )
        self._agreement = self.table("acquiring_agreement").columns_of(*_AGREEMENT)
        self._own_agreement = self.table("wallet_agreement").columns_of(
            "id", "wallet_id", "merchant_id", "payee", "payment_limit", "day_limit", "state",
            "created_at", "ended_at",
        )  # fmt: skip
        self._debits = self.table("wallet_authorization").group_by("wallet_id", "agreement_id")
        self._debit = self.table("wallet_authorization").columns_of("total", "refunded", "spent_on", "state")
        self._codes = self.table("wallet_spent_code").group_by("wallet_id", "device_number")
        self._device = self.table("wallet_device").columns_of(
            "wallet_id", "sealed_seed", "active", "bad_codes", "locked_until"
        )
        self._purse = self.table("wallet_wallet").columns_of(
            "id",
            "holder_id",
            "display_name",
            "currency",
            "state",
            "no_pin_limit",
            "payment_limit",
            "day_limit",
        )
        self._spent = itemgetter(self.table("wallet_day_spending").columns["spent"])
        self._tried = self.table("db_outbox").columns_of("attempts", "lost", "leased_until")
        self._claimed = self.table("db_outbox").columns_of(
            "id", "owner_id", "topic", "subject_id", "payload", "due_at", "attempts", "lost", "leased_until",
            "words",
        )  # fmt: skip
        self._item_due = self.table("db_outbox").columns_of("done_at", "dead_at", "due_at", "leased_until")
        self._words = itemgetter(self.table("db_outbox").columns["words"])
        self._known: dict[str, Callable[[BooksWork, Params], list[Values]]] = {
            ledger.open_account(OPERATOR, ledger.Role.WALLET, "EUR", _ANY).sql: self._open_account,
            ledger.post([]).sql: self._post,
            acquiring.merchants([]).sql: self._merchants,
            acquiring.due_payments(_ANY, 1).sql: self._due_payments,
            acquiring.due_subscriptions(_ANY, 1).sql: self._due_subscriptions,
            acquiring.due_disputes(_ANY, 1).sql: self._due_disputes,
            acquiring.store_documents([], _ANY).sql: self._store_documents,
            identity.notify_urls([]).sql: self._notify_urls,
            acquiring.agreements_by_access([]).sql: self._agreements_by_access,
            acquiring.agreements_by_grant([]).sql: self._agreements_by_grant,
            wallet.agreements([], _ANY.date()).sql: self._wallet_agreements,
            wallet.devices([], _ANY, _ANY.date()).sql: self._devices,
            wallet.wallets([], _ANY.date()).sql: self._wallets,
            wallet.spend_codes([])[1].sql: self._good_devices,
            wallet.count_bad_code(0, _ANY).sql: self._bad_device,
            wallet.add_spending([]).sql: self._add_spending,
            wallet.give_back_spending([]).sql: self._give_back_spending,
            fx.latest_rates().sql: self._latest_rates,
            risk.newest_rules().sql: lambda *_: [],
            outbox.claim([], 1, _ANY, 1).sql: self._claim,
            outbox.done(_ITEM, _ANY).sql: self._done,
            outbox.retry(_ITEM, _ANY, "").sql: self._retry,
            outbox.dead(_ITEM, _ANY, "").sql: self._dead,
        }

    def table(self, name: str) -> Table:
        return self.tables[name]

    def run(self, text: str, params: Params, work: BooksWork) -> list[Values]:
        """Run one statement in a transaction."""
        known = self._known.get(text)
        if known is None:
            parts = sql.parts_of(text)
            known = partial(self._together, parts) if parts else sql.understand(text, self.tables)  # type: ignore[assignment]
            if known is None:
                raise NotImplementedError(f"the simulated database does not know: {text}")
            self._known[text] = known
        return known(work, params)

    def _together(self, parts: list[tuple[str, int]], work: BooksWork, params: Params) -> list[Values]:
        """Several writes in one statement: no two may touch the same row."""
        at, touched = 0, set[tuple[str, Key]]()
        for text, wanted in parts:
            begun = len(work.written)
            self.run(text, params[at : at + wanted], work)
            written = set(work.written[begun:])
            if len(written) < len(work.written) - begun or written & touched:
                raise AssertionError(f"one statement writes a row twice: {written & touched}")
            touched |= written
            at += wanted
        return []

    def commit(self, work: BooksWork) -> None:
        """All that the transaction wrote is seen by everybody."""
        for table, key, _ in work.changes:
            table.settle(key)
            self.file_again(table, key)
        for tell in work.done:
            tell(work)

    def file_again(self, table: Table, key: Key) -> None:
        """Note when somebody will look for a row, if anybody will."""
        if table.name not in _LOOKED_FOR:
            return
        filed = self._filed.pop((table, key), None)
        if filed is not None:
            agenda, entry = filed
            del agenda[bisect_left(agenda, entry)]
        row = table.rows.get(key)
        when = self._when(table, row) if row is not None else None
        if when is not None:
            about = table.value(row, "topic") if table.name == "db_outbox" else table.name
            agenda = self._agenda[about][key[0]]
            entry = (when, next(self._serial), key)
            self._filed[table, key] = agenda, entry
            insort(agenda, entry)

    def _when(self, table: Table, row: Values) -> datetime | None:
        """When a payment expires, a dispute is looked at, an item may be claimed; None when it is over."""
        if table.name == "acquiring_payment":
            state, expires, hold, hold_ends = self._payment_ends(row)
            return expires if state == "PROCESSING" else hold_ends if hold is not None else None
        if table.name in self._look_at:
            return self._look_at[table.name](row)  # type: ignore[no-any-return]
        done, dead, due, leased_until = self._item_due(row)
        if done is not None or dead is not None:
            return None
        return due if leased_until is None else max(due, leased_until)

    def next_due(self) -> datetime | None:
        """When the next payment, dispute or item falls due."""
        agendas = [one for owners in self._agenda.values() for one in owners.values()]
        return min((agenda[0][0] for agenda in agendas if agenda), default=None)

    def _due(
        self, topics: Sequence[str], now: datetime, limit: int, busy: Sequence[UUID] = ()
    ) -> list[Entry]:
        """Rows that are due, the longest waiting first, but those of owners who are busy."""
        found = []
        for owners in (self._agenda[topic] for topic in topics if topic in self._agenda):
            for owner, agenda in owners.items():
                if agenda and agenda[0][0] <= now and owner not in busy:
                    found += agenda[: min(limit, bisect_left(agenda, now, key=itemgetter(0)) + 1)]
        return [entry for entry in sorted(found)[:limit] if entry[0] <= now]

    def rollback(self, work: BooksWork) -> None:
        """Nothing of it has happened."""
        for table, key, old in reversed(work.changes):
            table.restore(key, old)
        for id, account in work.accounts.items():
            if account is None:
                del self.books.accounts[id]
            else:
                self.books.accounts[id] = account
        for key in work.posted:
            del self.books.transfers[key]
        self.books.resolved.difference_update(work.resolved)
        work.changes.clear()

    # ------------------------------------------------------------ the books

    def _open_account(self, work: BooksWork, params: Params) -> list[Values]:
        id, _, _, currency, side, floor, _ = params
        if id not in self.books.accounts:
            work.accounts[id] = None
            self.books.accounts[id] = ModelAccount(Side(side), currency, floor)
        return []

    def _post(self, work: BooksWork, params: Params) -> list[Values]:
        transfers = [_transfer(leg) for leg in _LEGS.decode(params[0])]
        accounts = self.books.accounts
        for one in transfers:
            for id in (one.debit_id, one.credit_id):
                if id in accounts and id not in work.accounts:
                    work.accounts[id] = copy(accounts[id])
        refused = self.books.post(transfers)
        for position, one in enumerate(transfers):
            if position not in refused:
                work.posted.append((one.owner_id, one.id))
                if one.phase in RESOLVING and one.pending_id:
                    work.resolved.append((one.owner_id, one.pending_id))
        return list(refused.items())

    # ------------------------------------------------------------ who there is

    def _merchants(self, work: BooksWork, params: Params) -> list[Values]:
        merchants, contracts = self.table("acquiring_merchant"), self.table("acquiring_contract")
        terms = defaultdict(list)
        for row in contracts.seen(work):
            terms[contracts.value(row, "merchant_id")].append(row)
        rows = []
        for id in sorted(params[0]):
            row = merchants.get((id,), work)
            for one in terms[id] if row is not None else []:
                where = {"m": (merchants, row), "c": (contracts, one)}
                rows.append(tuple(where[t][0].value(where[t][1], name) for t, name in _MERCHANT))
        return rows

    def _agreements_by_access(self, work: BooksWork, params: Params) -> list[Values]:
        table = self.table("acquiring_agreement")
        found = (table.find(("merchant_id", "access_hash"), key, work) for key in zip(*params, strict=True))
        return [self._agreement(row) for row in found if row is not None]

    def _agreements_by_grant(self, work: BooksWork, params: Params) -> list[Values]:
        table, rows = self.table("acquiring_agreement"), {}
        for name, keys in (("grant_hash", params[:2]), ("refresh_hash", params[2:])):
            for key in zip(*keys, strict=True):
                row = table.find(("merchant_id", name), key, work)
                if row is not None:
                    rows[table.key_of(row)] = row
        return [self._agreement(row) for row in rows.values()]

    def _wallet_agreements(self, work: BooksWork, params: Params) -> list[Values]:
        day, *keys = params
        table, asks, rows = self.table("wallet_agreement"), self.table("wallet_authorization"), []
        for key in zip(*keys, strict=True):
            row = table.get(key, work)
            if row is not None:
                debits = (asks.get(one, work) for one in self._debits[key])
                spent = [self._debit(one) for one in debits if one is not None]
                counted = [
                    total - back for total, back, on, state in spent if (on, state) == (day, "authorised")
                ]
                rows.append((*self._own_agreement(row), sum(counted)))
        return rows

    def _devices(self, work: BooksWork, params: Params) -> list[Values]:
        since, day, numbers = params
        table = self.table("wallet_device")
        rows = []
        for number in numbers:
            row = table.get((number,), work)
            if row is not None:
                wallet_id, *head = self._device(row)
                used = self._used(wallet_id, number, since, work)
                rows.append((number, *head, used, *self._wallet(wallet_id, day, work)))
        return rows

    def _used(self, wallet_id: UUID, number: int, since: int, work: BooksWork) -> list[int]:
        codes = self.table("wallet_spent_code")
        return [
            key[2] * 10 + key[3]
            for key in self._codes[wallet_id, number]
            if key[2] >= since and codes.get(key, work) is not None
        ]

    def _wallets(self, work: BooksWork, params: Params) -> list[Values]:
        day, ids = params
        known = self.table("wallet_wallet").rows
        return [self._wallet(id, day, work) for id in ids if (id,) in known]

    def _wallet(self, id: UUID, day: Any, work: BooksWork) -> Values:
        days = self.table("wallet_day_spending")
        spent = days.get((id, day), work)
        return (*self._purse(self.table("wallet_wallet").rows[(id,)]), self._spent(spent) if spent else 0)

    def _good_devices(self, work: BooksWork, params: Params) -> list[Values]:
        table = self.table("wallet_device")
        for number in dict.fromkeys(params[0]):
            row = table.get((number,), work)
            if row is not None and table.value(row, "bad_codes"):
                table.put(table.changed(row, bad_codes=0, locked_until=None), work)
        return []

    def _bad_device(self, work: BooksWork, params: Params) -> list[Values]:
        most, _, locked_until, number = params
        table = self.table("wallet_device")
        row = table.get((number,), work)
        if row is not None:
            bad = table.value(row, "bad_codes") + 1
            change = {"bad_codes": 0, "locked_until": locked_until} if bad >= most else {"bad_codes": bad}
            table.put(table.changed(row, **change), work)
        return []

    def _add_spending(self, work: BooksWork, params: Params) -> list[Values]:
        table = self.table("wallet_day_spending")
        for one in _SPENDINGS.decode(params[0]):
            row = table.get((one.wallet_id, one.on), work)
            if row is None:
                table.insert({"wallet_id": one.wallet_id, "on": one.on, "spent": one.amount}, work)
            else:
                table.put(table.changed(row, spent=table.value(row, "spent") + one.amount), work)
        return []

    def _give_back_spending(self, work: BooksWork, params: Params) -> list[Values]:
        table = self.table("wallet_day_spending")
        for one in _SPENDINGS.decode(params[0]):
            row = table.get((one.wallet_id, one.on), work)
            if row is not None:
                table.put(table.changed(row, spent=table.value(row, "spent") - one.amount), work)
        return []

    def _latest_rates(self, work: BooksWork, params: Params) -> list[Values]:
        table = self.table("fx_reference_rate")
        rates = [table.named(row) for row in table.seen(work)]
        newest = max((one["rate_on"] for one in rates), default=None)
        return [
            (one["rate_on"], one["currency"], sql.trim_scale(one["per_euro"]))
            for one in rates
            if one["rate_on"] == newest
        ]

    def _due_payments(self, work: BooksWork, params: Params) -> list[Values]:
        now, limit = params[0], params[1]
        return [(*key, when) for when, _, key in self._due(["acquiring_payment"], now, limit)]

    def _due_subscriptions(self, work: BooksWork, params: Params) -> list[Values]:
        now, limit = params
        table = self.table("acquiring_subscription")
        due = self._due([table.name], now, limit)
        return [(*key, *self._due_charge(table.rows[key])) for _, _, key in due]

    def _due_disputes(self, work: BooksWork, params: Params) -> list[Values]:
        now, limit = params
        return [key for _, _, key in self._due(["acquiring_dispute"], now, limit)]

    def _store_documents(self, work: BooksWork, params: Params) -> list[Values]:
        table = self.table("acquiring_dispute_document")
        for one in zip(*params, strict=True):
            table.insert(dict(zip(_DOCUMENT, one, strict=True)), work)
        return []

    def _notify_urls(self, work: BooksWork, params: Params) -> list[Values]:
        return [one for one in [self.client_url] if one is not None and one[0] in params[0]]

    # ------------------------------------------------------------ the outbox

    def _claim(self, work: BooksWork, params: Params) -> list[Values]:
        now, _, topics, busy, look, cap, _, _, limit, leased_until = params
        table = self.table("db_outbox")
        places: dict[int, int] = defaultdict(int)
        taken = []
        for _, _, key in self._due(topics, now, look, busy):
            places[key[0].int] += 1
            if places[key[0].int] > cap or table.held(key, work):
                continue
            if len(taken) == limit:
                break
            row = table.rows[key]
            attempts, lost, leased = self._tried(row)
            lost += leased is not None
            new = table.changed(row, leased_until=leased_until, attempts=attempts + 1, lost=lost)
            table.put(new, work)
            taken.append(self._claimed(new))
        return taken

    def _done(self, work: BooksWork, params: Params) -> list[Values]:
        now, words, owner_id, id = params
        return self._end(work, (owner_id, id), None, words, done_at=now, leased_until=None, last_error=None)

    def _retry(self, work: BooksWork, params: Params) -> list[Values]:
        due_at, error, words, owner_id, id, leased_until = params
        return self._end(
            work, (owner_id, id), leased_until, words, due_at=due_at, leased_until=None, last_error=error
        )

    def _dead(self, work: BooksWork, params: Params) -> list[Values]:
        now, error, words, owner_id, id, leased_until = params
        return self._end(
            work, (owner_id, id), leased_until, words, dead_at=now, leased_until=None, last_error=error
        )

    def _end(
        self,
        work: BooksWork,
        key: tuple[UUID, UUID],
        hands: datetime | None,
        words: bytes | None,
        **change: Any,
    ) -> list[Values]:
        """Change an open item; with `hands` only if it is still leased until then. The first words stay."""
        table = self.table("db_outbox")
        row = table.get(key, work)
        if row is None:
            return []
        done, dead, _, leased_until = self._item_due(row)
        if done is None and dead is None and hands in (None, leased_until):
            first = self._words(row)
            table.put(table.changed(row, words=words if first is None else first, **change), work)
        return []


def _transfer(leg: _Leg) -> Transfer:
    return Transfer(
        id=leg.id,
        owner_id=leg.o,
        debit_id=leg.d,
        credit_id=leg.c,
        amount=leg.a or 0,
        currency=leg.y,
        kind=leg.k,
        subject_id=leg.s,
        phase=leg.h,
        group=leg.g,
        pending_id=leg.pe,
        reverses_id=leg.r,
        effective_at=leg.e,
    )
