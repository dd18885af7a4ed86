"""Risk rules beside other issuers and other engines, and tried over the past."""

from __future__ import annotations

import asyncio
import random
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import AsyncConnection

from comptoir.flows import api as flows
from comptoir.flows.rehearsal import past
from comptoir.ledger import api as ledger
from comptoir.risk import api as risk
from comptoir.risk.api import Action
from comptoir.wallet import api as wallet
from tests.conftest import Database
from tests.flows.agreements import Agreed
from tests.flows.risk_rules import (
    REFUSED,
    activate,
    counters,
    fired,
    per,
    recounted,
    run,
)
from tests.flows.support import NOW, Scene, assert_books_hold, make_merchant, make_scene
from tests.flows.test_issuers import CODE, House, opened


def test_another_issuers_wallet_is_judged_counted_and_taken_back(database: Database, tmp_path: Path) -> None:
    scene = make_scene()
    activate(per("issuer", 1), {"action": "ask_pin", "countries": ["BE"]})

    async def story(house: House) -> list[str]:
        first = await house.pay("R1", 1000)
        second = await house.pay("R2", 1000, code="259900000000000002")
        assert first.payment is not None
        await house.engine.submit(scene.cancel(first.payment.id))
        third = await house.pay("R3", 1000, code="259900000000000003")
        return [first.code, second.code, third.code]

    async def work() -> list[str]:
        async with opened(scene, database, tmp_path) as house:
            return await story(house)

    assert asyncio.run(work()) == [flows.OK, REFUSED, flows.OK]
    assert CODE
    assert scene.owed() == 1000
    assert counters() == {"issuer60SCRIPTED": (1, 1000)}
    assert_books_hold()


def test_two_engines_race_for_one_shops_limit(database: Database) -> None:
    """Two gateways, forty travellers, a shop that may take seven payments, rules that came meanwhile."""
    shop = make_merchant()
    many = [make_scene(merchant_id=shop) for _ in range(40)]

    async def connect() -> AsyncConnection[tuple[object, ...]]:
        return await AsyncConnection.connect(database.url, autocommit=True)

    async def work() -> list[str]:
        engines = [flows.Engine(connect=connect, desk=flows.Desk(5), clock=lambda: NOW) for _ in range(2)]
        for engine in engines:
            engine.start()
        warm = [await engine.submit(many[0].pay("W", code=many[0].code())) for engine in engines]
        assert {one.code for one in warm} == {flows.OK}
        await asyncio.to_thread(activate, per("merchant", 7), now=NOW)
        outcomes = await asyncio.gather(
            *(engines[n % 2].submit(one.pay(f"R{n}", code=one.code(n=1))) for n, one in enumerate(many)),
            # The same requests at the other gateway: they count once.
            *(engines[1 - n % 2].submit(one.pay(f"R{n}", code=one.code(n=1))) for n, one in enumerate(many)),
        )
        for engine in engines:
            await engine.stop()
        half = len(outcomes) // 2
        assert [one.code for one in outcomes[:half]] == [one.code for one in outcomes[half:]]
        return [one.code for one in outcomes[:half]]

    codes = asyncio.run(work())
    assert (codes.count(flows.OK), codes.count(REFUSED)) == (7, 33)
    assert many[0].owed() == 8 * 1000
    assert counters() == {"merchant60": (7, 7000)}
    assert_books_hold()


def test_rules_that_came_while_a_batch_waited_for_the_books_hold_in_it(database: Database) -> None:
    scene = make_scene()
    scene.one(scene.pay("R0"))

    async def connect() -> AsyncConnection[tuple[object, ...]]:
        return await AsyncConnection.connect(database.url, autocommit=True)

    async def work() -> str:
        engine = flows.Engine(connect=connect, desk=scene.desk, clock=lambda: NOW)
        engine.start()
        with psycopg.connect(database.url) as holder:
            holder.execute(ledger.lock().sql)
            payment = asyncio.ensure_future(engine.submit(scene.pay("R1", code=scene.code(n=1))))
            await asyncio.sleep(0.3)
            # What activating does, by who has the books.
            source = '{"rules": [{"id": "r", "action": "refuse", "countries": ["BE"]}]}'
            holder.execute("INSERT INTO risk_rule_set VALUES (1, %s, '', %s, '[]')", (NOW, source))
            holder.execute("UPDATE db_epoch SET number = number + 1")
        outcome = await payment
        await engine.stop()
        return outcome.code

    assert asyncio.run(work()) == REFUSED
    assert scene.owed() == 1000
    assert_books_hold()


def live_a_day(people: list[Scene], chance: random.Random) -> datetime:
    """Eighty things that travellers and tills do in one shop, one after the other; when the last was."""
    agreed = [Agreed(one) for one in people]
    watches = {one.wallet_id: wallet.enroll_device(one.wallet_id, "watch", NOW).number for one in people}
    desk, now, paid, held = people[0].desk, NOW, [], []
    for number in range(80):
        now += timedelta(seconds=chance.randrange(1, 240))
        one = chance.choice(people)
        minor = chance.randrange(100, 1000)
        match chance.randrange(12):
            case 0:
                made = flows.execute([one.order(f"R{number}", minor, terminal_ref="T1")], now, desk)[
                    0
                ].payment
                assert made is not None
                claim = flows.Claim(
                    order_code=made.order_code or "",
                    wallet_id=one.wallet_id,
                    device=chance.choice((None, one.device)),
                )
                flows.execute([claim], now, desk)
            case 4:
                command = chance.choice(agreed).pay(f"R{number}", minor, terminal_ref="T2")
                flows.execute([command], now, desk)
            case 1 if paid:
                payment_id = paid.pop(chance.randrange(len(paid)))
                flows.execute([one.cancel(payment_id)], now, desk)
            case 2 | 3:
                for asked in wallet.waiting(one.wallet_id, now)[:1]:
                    confirm = flows.Confirm(
                        wallet_id=one.wallet_id,
                        authorization_id=asked.id,
                        device=chance.choice((None, one.device, watches[one.wallet_id])),
                    )
                    flows.execute([confirm], now, desk)
            case 5 | 6 | 7 if held:
                command = one.update(f"R{number}", chance.choice(held), chance.randrange(100, 1200))
                flows.execute([command], now, desk)
            case 5 | 6 | 7 | 8:
                code = one.code(now, number % 10)
                command = one.hold(f"R{number}", minor, code=code, terminal_ref="T1")
                outcome = flows.execute([command], now, desk)[0]
                if outcome.payment is not None:
                    held.append(outcome.payment.id)
                    paid.extend([outcome.payment.id] if chance.random() < 0.3 else [])
            case _:
                till = chance.choice(("T1", "T2"))
                command = one.pay(f"R{number}", minor, code=one.code(now, number % 10), terminal_ref=till)
                outcome = flows.execute([command], now, desk)[0]
                if outcome.code == flows.OK and outcome.payment is not None:
                    paid.append(outcome.payment.id)
    return now


@pytest.mark.parametrize("seed", [0, 2, 3, 4, 7])  # days that see everything
def test_a_dry_run_over_the_past_says_what_was_said(database: object, seed: int) -> None:
    """The same rules over a recorded day give, charge by charge, the verdicts of the day."""
    chance = random.Random(seed)
    shop = make_merchant()
    careful = wallet.Limits(no_pin=2_000, payment=500_000, day=2_000_000)
    people = [make_scene(merchant_id=shop, limits=chance.choice((None, careful))) for _ in range(3)]
    rules = [
        per("wallet", 3, "10m", action="refuse"),
        per("terminal", 2, "10m", action="ask_pin"),
        {"per": "merchant", "currency": "EUR", "amount": "40.00", "within": "3h", "action": "flag"},
        per("device", 5, "2h", action="refuse"),
        {"action": "ask_pin", "currency": "EUR", "above": "7.00", "hours": "09:00-13:00", "zone": "UTC"},
        {"action": "refuse", "currency": "EUR", "above": "9.00"},
    ]
    activate(*rules)
    now = live_a_day(people, chance)

    lived = [(one.at, one.stage.value, one.action, fired(one.looked)) for one in reversed(risk.entries(9999))]
    compiled = risk.decode_rules(run(risk.newest_rules())).rules
    tried = [
        (said.at, said.stage.value, said.assessment.action, said.assessment.fired)
        for said in risk.replay(compiled, past(NOW, now + timedelta(days=1)))
        if said.assessment.action is not None
    ]
    assert tried == lived
    actions = {action for _, _, action, _ in lived}
    assert actions == set(Action), "the day must have seen everything"
    assert {stage for _, stage, _, _ in lived} == set(risk.Stage)
    assert_books_hold()
    assert counters() == recounted()
