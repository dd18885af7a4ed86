"""Simulated wallets: what each does by when, and that no code of the real world leads to one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comptoir.kernel.ids import new_id
from comptoir.kernel.money import Money
from comptoir.wallet.api import (
    SIMULATED,
    AnswerState,
    AuthoriseRequest,
    Authorization,
    IssuerDirectory,
    IssuersInvalid,
    RefundRequest,
    errors,
    open_issuers,
    simulated_wallet,
)
from comptoir.wallet.connectors.directory import IssuerEntry
from comptoir.wallet.connectors.simulator import Behavior, SimulatedWallet
from tests.wallet.scripted_issuer import ScriptedIssuer
from tests.wallet.support import NOW

S, F, P, U = AnswerState.SUCCEEDED, AnswerState.FAILED, AnswerState.PENDING, AnswerState.UNKNOWN
#: Behavior: answers to authorise at once; to query after 1, 12 and 65 seconds; to reverse after 1 and 35.
TABLE = {
    Behavior.PAYS: (S, P, S, S, S, S),
    Behavior.HAS_TOO_LITTLE: (F, F, F, F, S, S),
    Behavior.APPROVES: (P, P, S, S, S, S),
    Behavior.DECLINES: (P, P, F, F, S, S),
    Behavior.PAID_IN_SILENCE: (U, P, S, S, S, S),
    Behavior.FAILED_IN_SILENCE: (U, F, F, F, S, S),
    Behavior.NEVER_ANSWERS: (U, U, U, U, S, S),
    Behavior.APPROVES_LATE: (P, P, P, S, S, S),
    Behavior.PAID_AFTER_THE_CANCELLATION: (U, U, U, U, U, S),
}


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> object:
        return self.now


@pytest.mark.anyio
@pytest.mark.parametrize("behavior", list(Behavior))
async def test_each_behaves_as_its_number_says(behavior: Behavior) -> None:
    clock = Clock()
    wallet = SimulatedWallet(behavior, clock)  # type: ignore[arg-type]
    asked = AuthoriseRequest(
        authorization_id=new_id(int(NOW.timestamp() * 1000)),
        payment_id=new_id(),
        code="258800000000000000",
        charge=Money(1000, "EUR"),
        payee="Test counter",
        merchant_ref="M",
        mcc="5947",
        country="BE",
        expires_at=NOW + timedelta(minutes=10),
    )
    about = Authorization(
        authorization_id=asked.authorization_id, charge=asked.charge, expires_at=asked.expires_at
    )
    found = [(await wallet.authorise(asked)).state]
    for after in (1, 12, 65):
        clock.now = NOW + timedelta(seconds=after)
        found.append((await wallet.query(about)).state)
    for after in (1, 35):
        clock.now = NOW + timedelta(seconds=after)
        found.append((await wallet.reverse(about)).state)
    assert tuple(found) == TABLE[behavior]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("minor", "first", "later"), [(500, S, S), (401, F, F), (404, U, S), (405, U, F), (402, S, S)]
)
async def test_refunds_are_chosen_by_their_amount(minor: int, first: AnswerState, later: AnswerState) -> None:
    clock = Clock()
    wallet = SimulatedWallet(Behavior.PAYS, clock)  # type: ignore[arg-type]
    asked = RefundRequest(
        refund_id=new_id(int(NOW.timestamp() * 1000)),
        authorization_id=new_id(),
        issuer_ref="x",
        amount=Money(minor, "EUR"),
    )
    assert (await wallet.refund(asked)).state is first
    clock.now = NOW + timedelta(seconds=12)
    answer = await wallet.refund(asked)
    assert (answer.state, answer.code) == (later, errors.REFUSED if later is F else None)


@pytest.mark.parametrize(
    ("code", "minor", "name"),
    [
        ("281234567812345678", 1250, "SIM_PAYS"),
        ("281234567812345678", 1201, "SIM_HAS_TOO_LITTLE"),
        ("281234567812345678", 1206, "SIM_NEVER_ANSWERS"),
        ("281234567812345678", 1299, "SIM_PAYS"),
        ("258800000000000002", 1250, "SIM_APPROVES"),
        ("258800000000001702", 1250, "SIM_APPROVES"),
        ("258800000000000000", 1201, "SIM_PAYS"),
        ("258800000000000077", 1201, "SIM_PAYS"),
        (None, 1208, "SIM_PAID_AFTER_THE_CANCELLATION"),
        ("", 1207, "SIM_APPROVES_LATE"),
    ],
)
def test_the_code_chooses_or_else_the_amount(code: str | None, minor: int, name: str) -> None:
    assert simulated_wallet(code, Money(minor, "EUR")) == name
    assert isinstance(open_issuers({}).connector(name), SimulatedWallet)


@given(
    st.from_regex(r"[0-9]{16,24}", fullmatch=True) | st.integers(0, 9999).map("25880000000000{:04d}".format)
)
def test_no_code_of_the_real_world_is_routed_to_one(code: str) -> None:
    for own_wallets in (True, False):
        claims = {"SCRIPTED": IssuerEntry(connector="", prefixes=["25", "26", "28"])}
        issuers = IssuerDirectory(claims, {"SCRIPTED": ScriptedIssuer(":memory:")}, own_wallets=own_wallets)
        assert not (issuers.route(code) or "").startswith(SIMULATED)


def test_no_issuer_may_take_the_name_of_one() -> None:
    with pytest.raises(IssuersInvalid):
        IssuerDirectory({"SIM_PAYS": IssuerEntry(connector="")}, {"SIM_PAYS": ScriptedIssuer(":memory:")})
    with pytest.raises(IssuersInvalid):
        open_issuers({}).connector("SIM_NOBODY")
