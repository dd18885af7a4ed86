"""Any past instant can be asked for, as it was recorded and as it was in truth; both equal a replay."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comptoir.ledger import api as ledger
from comptoir.ledger.api import Phase, Side, Transfer
from tests.ledger import books

pytestmark = pytest.mark.usefixtures("module_database")

LAST_YEAR = datetime.now(UTC) - timedelta(days=365)


@dataclass(frozen=True)
class Recorded:
    """A transfer with the instant its batch was recorded at."""

    transfer: Transfer
    at: datetime


def replay(history: Iterable[Recorded], account: UUID) -> tuple[int, int, int, int]:
    """The four sums of the account after these transfers, one after the other."""
    holds: dict[UUID, int] = {}
    sums = [0, 0, 0, 0]
    for one in (entry.transfer for entry in history):
        held = 0
        if one.phase is Phase.PENDING:
            holds[one.id] = held = one.amount
        elif one.pending_id:
            held = -holds[one.pending_id]
        moved = one.amount if one.phase in (Phase.POSTED, Phase.POST) else 0
        for side, holder in enumerate((one.debit_id, one.credit_id)):
            if holder == account:
                sums[side] += moved
                sums[2 + side] += held
    return sums[0], sums[1], sums[2], sums[3]


def four(balance: ledger.Balance) -> tuple[int, int, int, int]:
    return balance.debits_posted, balance.credits_posted, balance.debits_pending, balance.credits_pending


@st.composite
def movements(draw: st.DrawFn) -> list[list[tuple[int, int, Phase, int | None]]]:
    """Batches of (from, amount, phase, minutes backdated): of three accounts, to the next one."""
    one = st.tuples(
        st.integers(0, 2),
        st.integers(1, 99),
        st.sampled_from([Phase.POSTED, Phase.POSTED, Phase.PENDING, Phase.POST, Phase.VOID]),
        st.none() | st.integers(-3, 3),
    )
    return draw(st.lists(st.lists(one, min_size=1, max_size=4), min_size=1, max_size=6))


def record(calls: list[list[tuple[int, int, Phase, int | None]]]) -> tuple[list[UUID], list[Recorded]]:
    """Post the movements on fresh accounts, a batch a call; what was recorded, in order."""
    accounts = [books.account(Side.CREDIT), books.account(Side.DEBIT), books.account(Side.CREDIT)]
    open_holds: list[Transfer] = []
    history: list[Recorded] = []
    for call in calls:
        transfers, resolvable = [], open_holds[:]
        for source, amount, phase, minutes in call:
            pair = accounts[source], accounts[(source + 1) % 3]
            if phase in (Phase.POST, Phase.VOID):
                if not resolvable:
                    continue
                hold = resolvable.pop(0)
                open_holds.remove(hold)
                pair = hold.debit_id, hold.credit_id
                least = hold.amount if phase is Phase.VOID else min(amount, hold.amount)
                one = books.transfer(*pair, least, owner_id=hold.owner_id, phase=phase, pending_id=hold.id)
            elif phase is Phase.PENDING:
                one = books.transfer(*pair, amount, phase=phase)
                open_holds.append(one)
            else:
                effective = None if minutes is None else datetime.now(UTC) + timedelta(minutes=minutes)
                one = books.transfer(*pair, amount, effective_at=effective)
            transfers.append(one)
        if transfers:
            assert books.post(*transfers) == {}
            ((at,),) = books.query("SELECT recorded_at FROM ledger_book")
            history += [Recorded(one, at) for one in transfers]
    return accounts, history


def instants(history: list[Recorded], offsets: list[int]) -> list[datetime]:
    """Before everything, each recording and effective instant and a hair beside it, and others at random."""
    known = [entry.at for entry in history]
    known += [entry.transfer.effective_at for entry in history if entry.transfer.effective_at]
    hair = timedelta(microseconds=1)
    start = min(known, default=LAST_YEAR)
    return [
        LAST_YEAR,
        datetime.now(UTC) + timedelta(days=1),
        *(instant + shift for instant in known for shift in (-hair, 0 * hair, hair)),
        *(start + timedelta(milliseconds=offset) for offset in offsets),
    ]


@settings(max_examples=30, deadline=None)
@given(movements(), st.lists(st.integers(-10, 400_000), max_size=5))
def test_a_past_balance_equals_replaying_the_transfers_recorded_by_then(
    calls: list[list[tuple[int, int, Phase, int | None]]], offsets: list[int]
) -> None:
    accounts, history = record(calls)
    for at in instants(history, offsets):
        for account in accounts:
            by_then = [entry for entry in history if entry.at <= at]
            assert four(ledger.balance_at(account, at)) == replay(by_then, account)
    for account in accounts:
        assert four(ledger.balance(account)) == replay(history, account)


@settings(max_examples=30, deadline=None)
@given(movements(), st.lists(st.integers(-10, 400_000), max_size=5))
def test_an_effective_balance_counts_each_transfer_from_when_it_took_effect(
    calls: list[list[tuple[int, int, Phase, int | None]]], offsets: list[int]
) -> None:
    accounts, history = record(calls)
    for at in instants(history, offsets):
        for account in accounts:
            by_then = [entry for entry in history if (entry.transfer.effective_at or entry.at) <= at]
            assert four(ledger.balance_effective(account, at)) == replay(by_then, account)


def test_a_bank_booking_of_yesterday_recorded_today() -> None:
    """The books say when they knew it and when it was so."""
    bank, wallet = books.account(Side.DEBIT), books.account(floor=0)
    yesterday = datetime.now(UTC) - timedelta(days=1)
    ledger.post_now([books.transfer(bank, wallet, 500, effective_at=yesterday)])
    noon = yesterday + timedelta(hours=12)
    assert ledger.balance_at(wallet, noon).posted == 0
    assert ledger.balance_effective(wallet, noon).posted == 500
    assert ledger.balance_effective(wallet, yesterday - timedelta(microseconds=1)).posted == 0
    assert ledger.balance(wallet).posted == 500
