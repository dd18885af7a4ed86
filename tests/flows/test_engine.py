"""The engine when the database does not do as it should: too slow, or silent after the commit."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import psycopg
import pytest
from psycopg import AsyncConnection

from comptoir.acquiring.api import Product
from comptoir.flows import api as flows
from comptoir.flows.agreements import auth_code, digest, token_pair
from comptoir.flows.engine import queue
from comptoir.kernel.ids import new_id
from comptoir.kernel.statements import Flow, Statement
from comptoir.wallet import api as wallet
from tests.conftest import Database
from tests.flows import agreements
from tests.flows.support import NOW, assert_books_hold, make_scene


def a_tenth_of_a_second_each(
    commands: Sequence[flows.Command], now: datetime, desk: flows.Desk, epoch: int, request_ids: Sequence[str]
) -> Flow[list[flows.Outcome]]:
    """A batch that may have the books for 0.3 s (a limit that runs already has to be ended first)."""
    yield [
        Statement(f"SELECT set_config('transaction_timeout', '{limit}', true)") for limit in ("0", "300ms")
    ]
    yield [Statement(f"SELECT pg_sleep({0.1 * len(commands)})")]
    return [flows.Outcome(code=flows.OK, message=str(command.payment_id)) for command in commands]  # type: ignore[union-attr]


def test_a_batch_that_takes_too_long_is_done_in_parts(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "run_with_books", a_tenth_of_a_second_each)
    commands = [flows.Expire(merchant_id=new_id(), payment_id=new_id()) for _ in range(5)]

    async def connect() -> AsyncConnection[tuple[object, ...]]:
        return await AsyncConnection.connect(database.url, autocommit=True)

    async def work() -> tuple[list[flows.Outcome], flows.EngineStats]:
        engine = flows.Engine(connect=connect, desk=flows.Desk(5))
        engine.start()
        outcomes = await asyncio.gather(*(engine.submit(command) for command in commands))
        await engine.stop()
        return outcomes, engine.stats

    outcomes, stats = asyncio.run(work())
    assert [one.message for one in outcomes] == [str(command.payment_id) for command in commands]
    assert (stats.commands, stats.largest < 5, stats.retries >= 1) == (5, True, True)


class Forgetful(AsyncConnection[Any]):
    """Commits, and then loses the answer to every other commit."""

    commits = 0

    async def execute(self, query: Any, *rest: Any, **named: Any) -> Any:
        cursor = await super().execute(query, *rest, **named)
        if query == "COMMIT":
            Forgetful.commits += 1
            if Forgetful.commits % 2:
                raise psycopg.OperationalError("the server closed the connection")
        return cursor


def test_a_commit_whose_answer_was_lost_is_not_done_again(database: Database) -> None:
    """Every kind of command a merchant or traveller gives: tried again, it finds what it has done."""
    scene = make_scene(limits=wallet.Limits(no_pin=10_000, payment=500_000, day=2_000_000))
    by_code, order, free = scene.pay("R1", 1000), scene.order("R2", 2000), scene.order("R3", 3000)

    async def connect() -> AsyncConnection[Any]:
        return await Forgetful.connect(database.url, autocommit=True)

    async def work() -> list[str]:
        engine = flows.Engine(connect=connect, desk=scene.desk, clock=lambda: NOW)
        engine.start()
        codes = []

        async def do(command: flows.Command) -> flows.Outcome:
            before = engine.stats.retries
            outcome = await engine.submit(command)
            assert engine.stats.retries == before + 1
            codes.append(outcome.code)
            return outcome

        async def claimed(command: flows.Pay) -> flows.Confirm:
            made = (await do(command)).payment
            assert made is not None
            assert made.order_code is not None
            shown = (await do(flows.Claim(order_code=made.order_code, wallet_id=scene.wallet_id))).payment
            assert shown is not None
            assert shown.authorization_id is not None
            return flows.Confirm(wallet_id=scene.wallet_id, authorization_id=shown.authorization_id)

        paid = (await do(by_code)).payment
        assert paid is not None
        await do(scene.refund("F1", paid.id, 300))
        await do(await claimed(order))
        await do(scene.cancel(ref="R2"))
        asked = await claimed(free)
        await do(flows.Decline(wallet_id=asked.wallet_id, authorization_id=asked.authorization_id))
        opened = agreements.asked(scene)
        await do(opened)
        await do(agreements.approval(scene, opened.consent_code))
        code = auth_code(opened.consent_code)
        tokens = token_pair(digest(code), refresh=False)
        await do(agreements.exchange(scene.merchant_id, code))
        fields = {"product": Product.AGREEMENT, "scenario": None, "token_hash": digest(tokens.access)}
        await do(scene.pay("R4", 100, **fields))
        await do(agreements.exchange(scene.merchant_id, tokens.refresh, refresh=True))
        await do(flows.EndAgreement(wallet_id=scene.wallet_id, agreement_id=opened.id))
        await engine.stop()
        return codes

    codes = asyncio.run(work())
    assert codes == [
        flows.OK, flows.OK, flows.IN_PROCESS, flows.IN_PROCESS, flows.OK, flows.OK,
        flows.IN_PROCESS, flows.IN_PROCESS, wallet.errors.DECLINED,
        flows.OK, flows.OK, flows.OK, flows.OK, flows.OK, flows.OK,
    ]  # fmt: skip
    assert scene.owed() == 800
    assert scene.purse == 1_000_000 - 7979 + 2393 - 798
    assert_books_hold()


def test_a_fault_of_the_engine_itself_ends_neither_the_engine_nor_a_wait(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = make_scene()

    async def connect() -> AsyncConnection[Any]:
        return await AsyncConnection.connect(database.url, autocommit=True)

    async def work() -> None:
        engine = flows.Engine(connect=connect, desk=scene.desk, clock=lambda: NOW)
        engine.start()
        with monkeypatch.context() as broken:
            broken.setattr(engine, "_answer", None)
            with pytest.raises(flows.Broken):
                await asyncio.wait_for(engine.submit(scene.pay("R1")), 60)
        assert (await asyncio.wait_for(engine.submit(scene.pay("R1")), 60)).code == flows.OK
        await engine.stop()

    asyncio.run(work())
    assert scene.owed() == 1000
