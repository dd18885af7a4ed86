"""Wallets of others: what is unknown is found out, never guessed; nobody is charged twice (F4, F5, F7)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connections
from psycopg import AsyncConnection

from comptoir.acquiring import api as acquiring_api
from comptoir.acquiring.api import PaymentState, RefundState
from comptoir.acquiring.api import errors as acquiring
from comptoir.flows import api as flows
from comptoir.flows.worker.issuers import ASK_AFTER, IssuersJob
from comptoir.kernel.money import Money
from comptoir.wallet import api as wallet
from comptoir.wallet.connectors.directory import IssuerEntry
from tests.conftest import Database
from tests.flows.support import NOW, Scene, assert_books_hold, make_scene
from tests.wallet.scripted_issuer import Act, ScriptedIssuer

CODE = "259900000000000001"


@dataclass
class House:
    """An engine, a worker's job and a scripted issuer over one database."""

    scene: Scene
    issuer: ScriptedIssuer
    desk: flows.PaymentDesk
    engine: flows.Engine
    job: IssuersJob
    connection: AsyncConnection[tuple[object, ...]]
    now: datetime = NOW

    async def pay(self, ref: str = "R1", minor: int = 1000, code: str = CODE) -> flows.Outcome:
        return await self.desk.submit(self.scene.pay(ref, minor, code=code))

    async def work(self, after: float = 0) -> None:
        """Let the worker look once, `after` seconds from the last time."""
        self.now += timedelta(seconds=after)
        await self.job.step(self.connection, self.now)

    async def known(self, ref: str = "R1") -> flows.Outcome:
        """The payment as the same request finds it."""
        return await self.engine.submit(self.scene.pay(ref, code=CODE))


@asynccontextmanager
async def opened(scene: Scene, database: Database, folder: Path) -> AsyncIterator[House]:
    issuer = ScriptedIssuer(folder / "issuer.sqlite")
    directory = wallet.IssuerDirectory(
        {"SCRIPTED": IssuerEntry(connector="-", prefixes=["2599"])}, {"SCRIPTED": issuer}
    )

    async def connect() -> AsyncConnection[tuple[object, ...]]:
        return await AsyncConnection.connect(database.url, autocommit=True)

    async with await connect() as connection:
        job = IssuersJob(directory, flows.Desk(5))
        engine = flows.Engine(connect=connect, desk=flows.Desk(5))
        house = House(scene, issuer, flows.PaymentDesk(engine.submit, directory), engine, job, connection)
        engine.clock = lambda: house.now
        engine.start()
        try:
            yield house
        finally:
            await engine.stop()


def check(scene: Scene, owed: int, held: int = 0) -> None:
    assert (scene.owed(), scene.held()) == (owed, held)
    assert_books_hold()


@pytest.fixture
def scene(database: Database) -> Scene:
    return make_scene()


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def test_a_foreign_code_pays_at_once(scene: Scene, database: Database, tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(scene, database, tmp_path) as house:
            outcome = await house.pay()
            assert outcome.code == flows.OK
            assert outcome.payment is not None
            assert (outcome.payment.issuer, outcome.payment.wallet_id) == ("SCRIPTED", None)
            again = await house.pay()
            assert (again.code, again.payment) == (flows.OK, outcome.payment)
            assert [verb for verb, _, _ in house.issuer.calls()] == ["authorise"]
            # The worker finds nothing left to ask.
            await house.work(60)
            assert len(house.issuer.calls()) == 1

    run(work())
    check(scene, 1000)


def test_a_refusal_lets_the_hold_go(scene: Scene, database: Database, tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(scene, database, tmp_path) as house:
            house.issuer.script(CODE, authorise=[Act.REFUSE])
            assert (await house.pay()).code == wallet.errors.DECLINED
            assert (await house.known()).code == wallet.errors.DECLINED

    run(work())
    check(scene, 0)


@pytest.mark.parametrize("act", [Act.ANSWER_LOST, Act.LATE, Act.BREAK])
def test_a_lost_answer_is_asked_for(act: Act, scene: Scene, database: Database, tmp_path: Path) -> None:
    """F4: it timed out, and the money had moved (or was about to): found out, charged once."""

    async def work() -> None:
        async with opened(scene, database, tmp_path) as house:
            house.issuer.script(CODE, authorise=[act])
            assert (await house.pay()).code == flows.IN_PROCESS
            check_held(scene)
            await house.work(20)
            if act is Act.BREAK:  # the connector died before it had sent anything
                assert (await house.known()).code == flows.IN_PROCESS
                for pause in ASK_AFTER:
                    await house.work(pause)
                assert (await house.known()).code == acquiring.PAYMENT_EXPIRED
                await house.work(1)
                return
            await house.work(5)
            assert (await house.known()).code == flows.OK
            (authorization,) = house.issuer.authorizations(CODE)
            assert house.issuer.moved(authorization) == 1000

    run(work())
    check(scene, 0 if act is Act.BREAK else 1000)


def check_held(scene: Scene) -> None:
    # Django's connection is synchronous: it is asked in a thread of its own.
    import concurrent.futures

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: (scene.owed(), scene.held())).result() == (0, 1000)


def test_a_request_that_never_arrived_ends_in_a_failure(
    scene: Scene, database: Database, tmp_path: Path
) -> None:
    """F5: it timed out and nothing had moved: asked, then barred; the hold is let go."""

    async def work() -> None:
        async with opened(scene, database, tmp_path) as house:
            house.issuer.script(CODE, authorise=[Act.LOST])
            assert (await house.pay()).code == flows.IN_PROCESS
            await house.work(20)
            for pause in ASK_AFTER:
                assert (await house.known()).code == flows.IN_PROCESS
                await house.work(pause)
            assert (await house.known()).code == acquiring.PAYMENT_EXPIRED
            await house.work(1)
            verbs = [verb for verb, _, _ in house.issuer.calls()]
            assert verbs == ["authorise", *["query"] * (len(ASK_AFTER) + 1), "reverse"]

    run(work())
    check(scene, 0)


def test_a_success_after_a_cancel_is_reversed(scene: Scene, database: Database, tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(scene, database, tmp_path) as house:
            house.issuer.script(CODE, authorise=[Act.ANSWER_LOST])
            pending = await house.pay()
            assert pending.payment is not None
            cancelled = await house.desk.submit(scene.cancel(pending.payment.id))
            assert cancelled.code == flows.OK
            (authorization,) = house.issuer.authorizations(CODE)
            assert house.issuer.moved(authorization) == 1000
            await house.work(20)
            assert house.issuer.moved(authorization) == 0
            known = await house.known()
            assert known.payment is not None
            assert known.payment.state is PaymentState.CANCELLED

    run(work())
    check(scene, 0)


def test_a_lost_reversal_is_asked_for_until_it_is_certain(
    scene: Scene, database: Database, tmp_path: Path
) -> None:
    async def work() -> None:
        async with opened(scene, database, tmp_path) as house:
            house.issuer.script(CODE, reverse=[Act.LOST, Act.LOST, Act.PLAIN])
            paid = await house.pay()
            assert paid.payment is not None
            await house.desk.submit(scene.cancel(paid.payment.id))
            for _ in range(4):
                await house.work(10)
            (authorization,) = house.issuer.authorizations(CODE)
            assert house.issuer.truth(authorization) == "reversed"

    run(work())
    check(scene, 0)


@pytest.mark.parametrize("act", [Act.PLAIN, Act.ANSWER_LOST, Act.REFUSE])
def test_refunds_are_answered_in_the_end(act: Act, scene: Scene, database: Database, tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(scene, database, tmp_path) as house:
            paid = await house.pay()
            assert paid.payment is not None
            house.issuer.script(CODE, refund=[act])
            outcome = await house.desk.submit(scene.refund("F1", paid.payment.id, 400))
            if act is Act.ANSWER_LOST:
                assert outcome.code == flows.REFUND_IN_PROCESS
                house.issuer.script(CODE, refund=[Act.PLAIN])
                await house.work(20)
            final = await house.desk.submit(scene.refund("F1", paid.payment.id, 400))
            assert final.refund is not None
            wanted = RefundState.FAIL if act is Act.REFUSE else RefundState.SUCCESS
            assert final.refund.state is wanted
            (authorization,) = house.issuer.authorizations(CODE)
            assert house.issuer.moved(authorization) == (1000 if act is Act.REFUSE else 600)
            # What failed may be refunded after all; what was refunded may not be refunded twice.
            rest = await house.desk.submit(scene.refund("F2", paid.payment.id, 1000))
            assert rest.code == (
                wallet.errors.AUTHORIZATION_CLOSED if act is Act.REFUSE else acquiring.REFUND_EXCEEDS
            )

    run(work())
    check(scene, 1000 if act is Act.REFUSE else 600)


def test_fifty_identical_requests_charge_once(scene: Scene, database: Database, tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(scene, database, tmp_path) as house:
            outcomes = await asyncio.gather(*[house.pay() for _ in range(50)])
            assert len({o.payment.id for o in outcomes if o.payment}) == 1
            assert len(house.issuer.authorizations(CODE)) == 1

    run(work())
    check(scene, 1000)


def test_a_dead_process_leaves_nothing_open(scene: Scene, database: Database, tmp_path: Path) -> None:
    """F7: the process died between the intent and the call, and between the call and its answer."""

    async def work() -> None:
        async with opened(scene, database, tmp_path) as house:
            # Between the intent and the call: only the engine ran.
            from msgspec.structs import replace

            intent = replace(scene.pay("R1", code=CODE), issuer="SCRIPTED")
            first = await house.engine.submit(intent)
            # Between the call and its answer: the issuer was asked, and nobody wrote it down.
            other = "259900000000000002"
            second = await house.engine.submit(replace(scene.pay("R2", code=other), issuer="SCRIPTED"))
            assert isinstance(second.ask, wallet.AuthoriseRequest)
            await house.issuer.authorise(second.ask)
            await house.work(20)
            for pause in ASK_AFTER:
                await house.work(pause)
            await house.work(1)
            assert first.payment is not None
            assert (await house.engine.submit(intent)).code == acquiring.PAYMENT_EXPIRED
            assert (await house.engine.submit(scene.pay("R2", code=other))).code == flows.OK

    run(work())
    check(scene, 1000)


# ---------------------------------------------------------------- contradictions (F6)


async def told(house: House, claims: wallet.AnswerState) -> flows.Outcome:
    """The issuer tells us unasked, as a notification does."""
    payment = (await house.known()).payment
    assert payment is not None
    assert payment.authorization_id is not None
    command = flows.Told(
        merchant_id=payment.merchant_id,
        payment_id=payment.id,
        authorization_id=payment.authorization_id,
        claims=claims,
    )
    return await house.engine.submit(command)


def queue(closed: bool = False) -> list[tuple[str, str, str | None]]:
    """(recorded, claimed, verdict) of every conflict."""
    return [(one.recorded, one.claimed, one.verdict) for one in acquiring_api.conflicts(closed=closed)]


SUCCEEDED, FAILED = wallet.AnswerState.SUCCEEDED, wallet.AnswerState.FAILED


def test_success_then_failed_is_asked_again_and_left_to_people(
    scene: Scene, database: Database, tmp_path: Path
) -> None:
    """F6: the truth is that it failed, though its first answer was success: nothing moves by itself."""

    async def work() -> None:
        async with opened(scene, database, tmp_path) as house:
            house.issuer.script(CODE, authorise=[Act.LIE_SUCCEEDED], query=[Act.REFUSE])
            assert (await house.pay()).code == flows.OK
            (lied,) = house.issuer.calls()
            # The issuer's books have it as failed by now.
            house.issuer.script(CODE, authorise=[Act.REFUSE])
            await house.issuer.authorise(asked_again(house, lied[1]))
            for _ in range(3):
                assert (await told(house, FAILED)).code == flows.OK
            await house.work(1)
            assert (await house.known()).code == flows.OK

    run(work())
    check(scene, 1000)
    assert queue() == [("succeeded", "failed", "failed")]
    (conflict,) = acquiring_api.conflicts()
    with pytest.raises(acquiring_api.ConflictUnfit):
        flows.close_conflict(conflict.id, "called them", NOW, reverse=True)
    assert queue() == [("succeeded", "failed", "failed")]
    flows.close_conflict(conflict.id, "called them: their error, they pay", NOW)
    assert queue() == []
    with pytest.raises(acquiring_api.ConflictClosed):
        flows.close_conflict(conflict.id, "again", NOW)
    check(scene, 1000)


def asked_again(house: House, authorization_id: UUID) -> wallet.AuthoriseRequest:
    return wallet.AuthoriseRequest(
        authorization_id=authorization_id,
        payment_id=authorization_id,
        code=CODE,
        charge=Money(1000, "EUR"),
        payee="",
        merchant_ref="",
        mcc="5441",
        country="BE",
        expires_at=NOW,
    )


def test_failed_then_success_is_reversed_only_when_people_say_so(
    scene: Scene, database: Database, tmp_path: Path
) -> None:
    """F6 the other way: it took the money and said that it had not."""

    async def work() -> None:
        async with opened(scene, database, tmp_path) as house:
            house.issuer.script(CODE, authorise=[Act.LIE_FAILED])
            assert (await house.pay()).code == wallet.errors.DECLINED
            (authorization,) = house.issuer.authorizations(CODE)
            for _ in range(2):
                await told(house, SUCCEEDED)
            for _ in range(3):
                await house.work(30)
            assert house.issuer.moved(authorization) == 1000
            assert await asyncio.to_thread(aside, queue) == [("failed", "succeeded", "succeeded")]
            await asyncio.to_thread(aside, lambda: close_first(reverse=True))
            await house.work(1)
            assert house.issuer.truth(authorization) == "reversed"
            assert (await house.known()).code == wallet.errors.DECLINED

    run(work())
    check(scene, 0)


def aside(work: Callable[[], Any]) -> Any:
    """Django's connection belongs to threads without an event loop."""
    try:
        return work()
    finally:
        connections.close_all()


def close_first(*, reverse: bool) -> None:
    (conflict,) = acquiring_api.conflicts()
    flows.close_conflict(conflict.id, "they owe the traveller", NOW, reverse=reverse)


def test_a_claim_that_the_issuer_takes_back_closes_by_itself(
    scene: Scene, database: Database, tmp_path: Path
) -> None:
    async def work() -> None:
        async with opened(scene, database, tmp_path) as house:
            await house.pay()
            await told(house, FAILED)
            house.issuer.script(CODE, query=[Act.LOST, Act.LOST, Act.PLAIN])
            for _ in range(3):
                await house.work(5)

    run(work())
    check(scene, 1000)
    assert queue() == []
    assert queue(closed=True) == [("succeeded", "failed", "succeeded")]


def test_a_contradiction_that_is_never_explained_stays_for_people(
    scene: Scene, database: Database, tmp_path: Path
) -> None:
    async def work() -> None:
        async with opened(scene, database, tmp_path) as house:
            await house.pay()
            await told(house, FAILED)
            house.issuer.script(CODE, query=[Act.LOST])
            for pause in (1, *ASK_AFTER):
                await house.work(pause)

    run(work())
    check(scene, 1000)
    assert queue() == [("succeeded", "failed", "unknown")]


def test_what_is_told_of_an_open_payment_makes_the_worker_ask(
    scene: Scene, database: Database, tmp_path: Path
) -> None:
    """A notification is a reason to ask, not an answer: a false one decides nothing."""

    async def work() -> None:
        async with opened(scene, database, tmp_path) as house:
            house.issuer.script(CODE, authorise=[Act.ASK])
            assert (await house.pay()).code == flows.IN_PROCESS
            for claims in (SUCCEEDED, FAILED):
                assert (await told(house, claims)).code == flows.IN_PROCESS
            await house.work(1)
            assert [verb for verb, _, _ in house.issuer.calls()] == ["authorise", "query", "query"]
            assert (await house.known()).code == flows.IN_PROCESS
            (authorization,) = house.issuer.authorizations(CODE)
            house.issuer.decide(authorization, approved=True)
            await told(house, SUCCEEDED)
            await house.work(1)
            assert (await house.known()).code == flows.OK
            other = flows.Told(
                merchant_id=scene.merchant_id,
                payment_id=(await house.known()).payment.id,  # type: ignore[union-attr]
                authorization_id=scene.merchant_id,
                claims=FAILED,
            )
            assert (await house.engine.submit(other)).code == acquiring.PAYMENT_UNKNOWN

    run(work())
    check(scene, 1000)
    assert queue(closed=True) == []


def test_a_traveller_who_takes_their_time_is_waited_for(
    scene: Scene, database: Database, tmp_path: Path
) -> None:
    """As long as the issuer says that they are being asked; until the payment's own time is up."""

    async def work() -> None:
        async with opened(scene, database, tmp_path) as house:
            house.issuer.script(CODE, authorise=[Act.ASK])
            await house.pay()
            for pause in (20, *ASK_AFTER, 20, 20, 20):
                await house.work(pause)
            assert (await house.known()).code == flows.IN_PROCESS
            (authorization,) = house.issuer.authorizations(CODE)
            house.issuer.decide(authorization, approved=True)
            await house.work(20)
            assert (await house.known()).code == flows.OK

    run(work())
    check(scene, 1000)
