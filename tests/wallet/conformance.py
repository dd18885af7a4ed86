"""What every connector to an issuer must hold: subclass `IssuerConformance`, and give it a bench.

    class TestMine(IssuerConformance):
        @pytest.fixture
        async def bench(self, ...) -> AsyncIterator[Bench]: ...

The numbers in brackets are those of the list in comptoir.wallet.connectors. A bench is the connector and,
behind it, the truth: what the issuer's own books say, whatever was answered.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager
from datetime import timedelta
from enum import Enum
from typing import Protocol
from uuid import UUID

import pytest

from comptoir.kernel.clock import utc_now
from comptoir.kernel.ids import new_id
from comptoir.kernel.money import Money
from comptoir.wallet import errors
from comptoir.wallet.api import (
    DEADLINE_S,
    AnswerState,
    AuthoriseRequest,
    Authorization,
    IssuerAnswer,
    IssuerConnector,
    RefundRequest,
)

CHARGE = Money(1000, "EUR")
SUCCEEDED, FAILED, PENDING, UNKNOWN = (
    AnswerState.SUCCEEDED, AnswerState.FAILED, AnswerState.PENDING, AnswerState.UNKNOWN,
)  # fmt: skip
#: Every code that a connector may fail with.
CODES = {value for name, value in vars(errors).items() if name.isupper() and isinstance(value, str)}


class Holder(Enum):
    """Whose code is shown: one who pays without being asked, who has too little, who is asked first."""

    RICH = "rich"
    POOR = "poor"
    ASKED = "asked"


class Fault(Enum):
    """What happens on the way to the issuer, or back."""

    REQUEST_LOST = "request lost"
    ANSWER_LOST = "answer lost"
    SILENCE = "the request arrives, and nothing ever comes back"


class Bench(Protocol):
    """A connector, and the truth behind it."""

    connector: IssuerConnector

    async def code(self, holder: Holder) -> str:
        """A code that was never used."""

    async def decide(self, authorization_id: UUID, approved: bool) -> None:
        """The traveller who was asked answers."""

    async def moved(self, authorization_id: UUID) -> int:
        """What the traveller is out of pocket for it, in minor units of the charge."""

    def fault(self, fault: Fault) -> AbstractContextManager[None]:
        """Let this happen to every call until the end of the block."""

    async def another(self) -> IssuerConnector:
        """A fresh connector to the same issuer, as a process has that was started just now."""


def request(code: str, minutes: float = 10) -> AuthoriseRequest:
    return AuthoriseRequest(
        authorization_id=new_id(),
        payment_id=new_id(),
        code=code,
        charge=CHARGE,
        payee="Chocolaterie Sablon",
        merchant_ref=new_id().hex,
        mcc="5441",
        country="BE",
        expires_at=utc_now() + timedelta(minutes=minutes),
    )


def about(asked: AuthoriseRequest) -> Authorization:
    return Authorization(
        authorization_id=asked.authorization_id, charge=asked.charge, expires_at=asked.expires_at
    )


def back(asked: AuthoriseRequest, paid: IssuerAnswer, minor: int) -> RefundRequest:
    return RefundRequest(
        refund_id=new_id(),
        authorization_id=asked.authorization_id,
        issuer_ref=paid.issuer_ref or "",
        amount=Money(minor, CHARGE.currency),
    )


@pytest.mark.anyio
class IssuerConformance:
    """The rules, as tests."""

    async def test_a_payment_is_made_once_however_often_it_is_asked_for(self, bench: Bench) -> None:
        """[1, 4]"""
        asked = request(await bench.code(Holder.RICH))
        paid = await bench.connector.authorise(asked)
        assert (paid.state, paid.code) == (SUCCEEDED, None)
        assert paid.issuer_ref
        assert await bench.moved(asked.authorization_id) == 1000
        again = await asyncio.gather(*(bench.connector.authorise(asked) for _ in range(6)))
        assert {(one.state, one.issuer_ref) for one in again} == {(SUCCEEDED, paid.issuer_ref)}
        found = await bench.connector.query(about(asked))
        assert (found.state, found.issuer_ref) == (SUCCEEDED, paid.issuer_ref)
        assert await bench.moved(asked.authorization_id) == 1000

    async def test_at_once_from_two_processes_it_is_made_once(self, bench: Bench) -> None:
        """[1, 11]"""
        asked = request(await bench.code(Holder.RICH))
        other = await bench.another()
        try:
            answers = await asyncio.gather(
                *(one.authorise(asked) for one in (bench.connector, other) for _ in range(4))
            )
            assert {one.state for one in answers} == {SUCCEEDED}
            assert (await other.query(about(asked))).state is SUCCEEDED
        finally:
            await other.aclose()
        assert await bench.moved(asked.authorization_id) == 1000

    async def test_a_refusal_is_final(self, bench: Bench) -> None:
        """[3]"""
        asked = request(await bench.code(Holder.POOR))
        for _ in range(2):
            refused = await bench.connector.authorise(asked)
            assert refused.state is FAILED
            assert refused.code in CODES
        assert (await bench.connector.query(about(asked))).state is FAILED
        assert await bench.moved(asked.authorization_id) == 0

    @pytest.mark.parametrize("approved", [True, False])
    async def test_a_traveller_is_asked_and_answers(self, bench: Bench, approved: bool) -> None:
        """[5]"""
        asked = request(await bench.code(Holder.ASKED))
        assert (await bench.connector.authorise(asked)).state is PENDING
        assert (await bench.connector.query(about(asked))).state is PENDING
        assert await bench.moved(asked.authorization_id) == 0
        await bench.decide(asked.authorization_id, approved)
        assert (await bench.connector.query(about(asked))).state is (SUCCEEDED if approved else FAILED)
        assert await bench.moved(asked.authorization_id) == (1000 if approved else 0)

    async def test_what_was_never_seen_is_unknown(self, bench: Bench) -> None:
        """[3]"""
        asked = request(await bench.code(Holder.RICH))
        assert (await bench.connector.query(about(asked))).state is UNKNOWN

    @pytest.mark.parametrize("holder", list(Holder))
    async def test_a_reversal_undoes_whatever_there_was(self, bench: Bench, holder: Holder) -> None:
        """[6, 7]"""
        asked = request(await bench.code(holder))
        await bench.connector.authorise(asked)
        for _ in range(2):
            assert (await bench.connector.reverse(about(asked))).state is SUCCEEDED
        assert await bench.moved(asked.authorization_id) == 0
        assert (await bench.connector.query(about(asked))).state is FAILED
        assert (await bench.connector.authorise(asked)).state is FAILED
        assert await bench.moved(asked.authorization_id) == 0

    async def test_what_was_never_seen_is_barred_or_its_reversal_stays_unknown(self, bench: Bench) -> None:
        """[6] A request that comes after its reversal either fails, or the next reversal undoes it."""
        asked = request(await bench.code(Holder.RICH))
        first = (await bench.connector.reverse(about(asked))).state
        assert first in (SUCCEEDED, UNKNOWN)
        late = (await bench.connector.authorise(asked)).state
        assert late is FAILED or first is UNKNOWN
        assert (await bench.connector.reverse(about(asked))).state is SUCCEEDED
        assert await bench.moved(asked.authorization_id) == 0

    async def test_what_can_no_longer_come_is_reversed_for_certain(self, bench: Bench) -> None:
        """[6]"""
        asked = request(await bench.code(Holder.RICH), minutes=-60)
        assert (await bench.connector.reverse(about(asked))).state is SUCCEEDED
        assert await bench.moved(asked.authorization_id) == 0

    async def test_refunds_and_a_reversal_never_exceed_the_charge(self, bench: Bench) -> None:
        """[1, 7]"""
        asked = request(await bench.code(Holder.RICH))
        paid = await bench.connector.authorise(asked)
        first = back(asked, paid, 600)
        answers = await asyncio.gather(*(bench.connector.refund(first) for _ in range(4)))
        assert {one.state for one in answers} == {SUCCEEDED}
        assert await bench.moved(asked.authorization_id) == 400
        assert (await bench.connector.refund(back(asked, paid, 401))).state is FAILED
        assert await bench.moved(asked.authorization_id) == 400
        assert (await bench.connector.refund(back(asked, paid, 400))).state is SUCCEEDED
        assert await bench.moved(asked.authorization_id) == 0
        assert (await bench.connector.refund(back(asked, paid, 1))).state is FAILED

    async def test_nothing_is_refunded_of_what_was_reversed(self, bench: Bench) -> None:
        """[7]"""
        asked = request(await bench.code(Holder.RICH))
        paid = await bench.connector.authorise(asked)
        await bench.connector.reverse(about(asked))
        assert (await bench.connector.refund(back(asked, paid, 100))).state in (FAILED, UNKNOWN)
        assert await bench.moved(asked.authorization_id) == 0

    async def test_a_request_that_is_lost_is_unknown_and_asked_for_again(self, bench: Bench) -> None:
        """[2, 3]"""
        asked = request(await bench.code(Holder.RICH))
        with bench.fault(Fault.REQUEST_LOST):
            assert (await bench.connector.authorise(asked)).state is UNKNOWN
            assert (await bench.connector.query(about(asked))).state is UNKNOWN
        assert (await bench.connector.query(about(asked))).state is UNKNOWN
        assert await bench.moved(asked.authorization_id) == 0

    async def test_an_answer_that_is_lost_is_found_out(self, bench: Bench) -> None:
        """[1, 2]"""
        asked = request(await bench.code(Holder.RICH))
        with bench.fault(Fault.ANSWER_LOST):
            assert (await bench.connector.authorise(asked)).state is UNKNOWN
        paid = await bench.connector.query(about(asked))
        assert paid.state is SUCCEEDED
        assert await bench.moved(asked.authorization_id) == 1000
        given = back(asked, paid, 300)
        with bench.fault(Fault.ANSWER_LOST):
            assert (await bench.connector.refund(given)).state is UNKNOWN
        assert (await bench.connector.refund(given)).state is SUCCEEDED
        assert await bench.moved(asked.authorization_id) == 700

    async def test_a_reversal_whose_answer_is_lost_is_asked_for_again(self, bench: Bench) -> None:
        """[6]"""
        asked = request(await bench.code(Holder.RICH))
        await bench.connector.authorise(asked)
        with bench.fault(Fault.ANSWER_LOST):
            assert (await bench.connector.reverse(about(asked))).state is UNKNOWN
        assert (await bench.connector.reverse(about(asked))).state is SUCCEEDED
        assert await bench.moved(asked.authorization_id) == 0

    @pytest.mark.slow
    async def test_silence_ends_in_time(self, bench: Bench) -> None:
        """[8] All four verbs at once, to wait once."""
        asked = request(await bench.code(Holder.RICH))
        paid = await bench.connector.authorise(asked)
        late = request(await bench.code(Holder.RICH))
        with bench.fault(Fault.SILENCE):
            async with asyncio.timeout(DEADLINE_S + 5):  # the slack is the machine's, not the connector's
                answers = await asyncio.gather(
                    bench.connector.authorise(late),
                    bench.connector.query(about(asked)),
                    bench.connector.reverse(about(asked)),
                    bench.connector.refund(back(asked, paid, 100)),
                )
        assert {one.state for one in answers} == {UNKNOWN}

    async def test_no_code_is_printed(self, bench: Bench, capfd: pytest.CaptureFixture[str]) -> None:
        """[10]"""
        code = await bench.code(Holder.RICH)
        asked = request(code)
        with bench.fault(Fault.ANSWER_LOST):
            answer = await bench.connector.authorise(asked)
        answers = [answer, await bench.connector.authorise(asked), bench.connector, asked]
        written = capfd.readouterr()
        assert code not in f"{answers!r} {written.out} {written.err}"
