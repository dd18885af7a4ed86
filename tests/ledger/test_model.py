"""The set-based posting function equals posting group by group, for whatever is thrown at it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comptoir.kernel.ids import new_id
from comptoir.ledger import api as ledger
from comptoir.ledger.api import Phase, Side, Transfer
from tests.conftest import Database
from tests.ledger import books
from tests.ledger.model import Model, ModelAccount


@pytest.fixture(scope="module", autouse=True)
def whole_books(module_database: Database) -> Iterator[None]:
    """The books are whole after all that: whichever of these tests ran in this process."""
    yield
    report = ledger.verify()
    assert report.differences == []
    assert report.transfers > 0


#: side, currency, floor, closed. The first six are used most: floors of both sides, and no floor.
ACCOUNTS = [
    (Side.CREDIT, "CNY", 0, False),
    (Side.CREDIT, "CNY", -30, False),
    (Side.DEBIT, "CNY", 0, False),
    (Side.DEBIT, "CNY", None, False),
    (Side.CREDIT, "CNY", None, False),
    (Side.CREDIT, "CNY", 0, False),
    (Side.CREDIT, "EUR", None, False),
    (Side.CREDIT, "CNY", None, True),
]
USUAL, UNKNOWN = 6, len(ACCOUNTS)
AMOUNTS = st.one_of(
    st.integers(1, 60),
    st.integers(1, 60),
    st.integers(1, 60),
    st.sampled_from([0, -1, -(10**30), 10**16 - 1, 10**16, 2**63 - 1, 2**63, 10**30]),
)
BACKDATED = datetime(2026, 2, 3, 4, 5, 6, 789, tzinfo=UTC)


@st.composite
def odd(draw: st.DrawFn, one: dict[str, Any], drawn: list[dict[str, Any]]) -> dict[str, Any]:
    """A leg with anything wrong with it; or one of those before again, perhaps with other content."""
    one = one | draw(
        st.fixed_dictionaries(
            {},
            optional={
                "id": st.integers(0, len(drawn)),
                "owner": st.integers(0, 1),
                "currency": st.sampled_from(["EUR", "JPY", "ABCDEF"]),
                "phase": st.sampled_from(Phase),
                "pending": st.integers(0, len(drawn) + 1),
                "reverses": st.just(0),
                "effective": st.just(BACKDATED),
            },
        )
    )
    if drawn and draw(st.booleans()):
        one = draw(st.sampled_from(drawn)) | draw(
            st.fixed_dictionaries(
                {},
                optional={"amount": AMOUNTS, "owner": st.integers(0, 1), "reverses": st.integers(1, 2)},
            )
        )
    if one["phase"] in (Phase.POST, Phase.VOID) and one["pending"] is None:
        one["pending"] = draw(st.integers(0, len(drawn)))
    return one


@st.composite
def leg(draw: st.DrawFn, drawn: list[dict[str, Any]], earlier_calls: int) -> dict[str, Any]:
    """One leg, with small numbers for ids and accounts. `drawn` are the legs so far; this one joins them.

    The first `earlier_calls` of them came in earlier calls: their holds can be resolved.
    """
    manner = draw(
        st.sampled_from(
            ["posted", "posted", "posted", "pending", "pending", "resolve", "resolve", "resolve", "odd"]
        )
    )
    usual = st.integers(0, USUAL - 1)
    accounts = usual if manner != "odd" else st.integers(0, UNKNOWN)
    one: dict[str, Any] = {
        "id": len(drawn),
        "owner": 0,
        "debit": draw(accounts),
        "credit": draw(accounts),
        "amount": draw(st.integers(1, 60) if manner in ("pending", "posted") else AMOUNTS),
        "currency": "CNY",
        "phase": Phase.PENDING if manner == "pending" else Phase.POSTED,
        "pending": None,
        "reverses": None,
        "effective": None,
    }
    if one["debit"] == one["credit"] and manner != "odd":
        one["credit"] = (one["debit"] + 1) % USUAL
    holds = [past for past in drawn[:earlier_calls] if past["phase"] is Phase.PENDING]
    if manner == "resolve" and not holds:
        one |= {"phase": Phase.PENDING, "amount": draw(st.integers(1, 60))}
    elif manner == "resolve":
        hold = draw(st.sampled_from(holds[-3:]))
        one |= {name: hold[name] for name in ("owner", "debit", "credit", "amount")}
        one |= {"phase": draw(st.sampled_from([Phase.POST, Phase.VOID])), "pending": hold["id"]}
        one["reverses"] = draw(st.sampled_from([None, None, 0]))
        if one["phase"] is Phase.POST:
            one["amount"] = max(1, hold["amount"] + draw(st.sampled_from([0, 0, -1, -20, 1])))
    elif manner == "odd":
        one = draw(odd(one, drawn))
    drawn.append(one)
    return one


@st.composite
def histories(draw: st.DrawFn) -> list[list[dict[str, Any]]]:
    """Several calls of several groups; now and then a call is made a second time."""
    drawn: list[dict[str, Any]] = []
    calls: list[list[dict[str, Any]]] = []
    for _ in range(draw(st.integers(2, 5))):
        if calls and draw(st.integers(0, 7)) == 0:
            calls.append(draw(st.sampled_from(calls)))
            continue
        call = []
        earlier = len(drawn)
        for number in range(draw(st.integers(1, 7))):
            size = draw(st.sampled_from([1, 1, 2, 3]))
            alone = size == 1 and draw(st.booleans())
            call += [draw(leg(drawn, earlier)) | {"group": None if alone else number} for _ in range(size)]
        calls.append(call)
    return calls


class World:
    """Fresh accounts and ids for one history, in the database and in the model."""

    def __init__(self) -> None:
        self.model = Model()
        self.accounts: list[UUID] = []
        for side, currency, floor, closed in ACCOUNTS:
            self.accounts.append(books.account(side, currency, floor, closed))
            self.model.accounts[self.accounts[-1]] = ModelAccount(side, currency, floor, closed)
        self.accounts.append(new_id())
        self.owners = [new_id(), new_id()]
        self.ids: dict[int, UUID] = {}
        self._fill()

    def _fill(self) -> None:
        """Something to spend in the accounts with a floor."""
        cny = [(at, side) for at, (side, currency, floor, _) in enumerate(ACCOUNTS) if floor is not None]
        for at, side in cny:
            pair = (self.accounts[3], self.accounts[at])
            one = books.transfer(*(pair if side is Side.CREDIT else pair[::-1]), 70)
            assert books.post(one) == self.model.post([one]) == {}

    def id(self, number: int | None) -> UUID | None:
        return None if number is None else self.ids.setdefault(number, new_id())

    def transfer(self, one: dict[str, Any]) -> Transfer:
        return Transfer(
            id=self.id(one["id"]) or new_id(),
            owner_id=self.owners[one["owner"]],
            debit_id=self.accounts[one["debit"]],
            credit_id=self.accounts[one["credit"]],
            amount=one["amount"],
            currency=one["currency"],
            kind="test",
            subject_id=self.owners[0],
            phase=one["phase"],
            group=one["group"],
            pending_id=self.id(one["pending"]),
            reverses_id=self.id(one["reverses"]),
            effective_at=one["effective"],
        )

    def balances_agree(self) -> None:
        expected = {id: account.sums for id, account in self.model.accounts.items()}
        assert books.sums(*expected) == expected


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(histories())
def test_every_call_gives_the_codes_and_balances_of_posting_group_by_group(
    calls: list[list[dict[str, Any]]],
) -> None:
    world = World()
    for call in calls:
        transfers = [world.transfer(one) for one in call]
        assert books.post(*transfers) == world.model.post(transfers)
        world.balances_agree()


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(histories())
def test_one_call_equals_a_call_for_each_group_when_nothing_is_named_twice(
    calls: list[list[dict[str, Any]]],
) -> None:
    """Against the database itself: the second world posts the same groups in calls of their own."""
    together, apart = World(), World()
    for call in calls:
        ids = [(one["owner"], one["id"]) for one in call]
        here = {one["id"] for one in call}
        if len(set(ids)) < len(ids) or any(one["pending"] in here for one in call):
            continue
        codes = books.post(*[together.transfer(one) for one in call])
        refused: dict[int, str] = {}
        for start, group in _groups(call):
            answer = books.post(*[apart.transfer(one) for one in group])
            refused |= {start + position: code for position, code in answer.items()}
        assert set(codes) == set(refused)
        amounts = [list(books.sums(*world.accounts).items()) for world in (together, apart)]
        in_order = [
            [dict(found).get(id) for id in world.accounts]
            for found, world in zip(amounts, (together, apart), strict=True)
        ]
        assert in_order[0] == in_order[1]


def _groups(call: list[dict[str, Any]]) -> list[tuple[int, list[dict[str, Any]]]]:
    """The call cut at its groups, each with the position it starts at."""
    found: list[tuple[int, list[dict[str, Any]]]] = []
    for position, one in enumerate(call):
        if found and one["group"] is not None and one["group"] == found[-1][1][-1]["group"]:
            found[-1][1].append(one)
        else:
            found.append((position, [one]))
    return found


def test_the_model_knows_every_field_of_a_transfer() -> None:
    """Whoever adds a field decides here whether it is part of a transfer's content."""
    assert [one.name for one in msgspec.structs.fields(Transfer)] == [
        "id", "owner_id", "debit_id", "credit_id", "amount", "currency", "kind", "subject_id",
        "phase", "group", "pending_id", "reverses_id", "effective_at",
    ]  # fmt: skip
