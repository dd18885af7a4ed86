"""Risk rules through the engine's own flow, on a real database: refusals, counters, waves, the past."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction
from psycopg import AsyncConnection

from comptoir.acquiring.api import PaymentState
from comptoir.db.run import run_sync
from comptoir.flows import api as flows
from comptoir.flows.rehearsal import past
from comptoir.kernel.ids import new_id
from comptoir.kernel.statements import Flow
from comptoir.ledger import api as ledger
from comptoir.risk import api as risk
from comptoir.risk.api import Action
from comptoir.wallet import api as wallet
from tests.conftest import Database
from tests.flows.agreements import Agreed
from tests.flows.support import NOW, Scene, assert_books_hold, make_merchant, make_scene
from tests.flows.test_issuers import CODE, House, opened
from tests.flows.test_subscriptions import START as BEGINS
from tests.flows.test_subscriptions import begun, renewal, stands

START = 1_000_000
REFUSED = risk.errors.REFUSED


@pytest.fixture
def scene(database: object) -> Iterator[Scene]:
    made = make_scene()
    yield made
    assert_books_hold()


def activate(*rules: dict[str, Any], now: datetime = NOW - timedelta(hours=1), sample: int = 0) -> int:
    named = [{"id": f"r{number}", "action": "refuse"} | one for number, one in enumerate(rules)]
    return flows.activate_rules(risk.checked({"rules": named, "sample": sample}), "test", now)


def per(scope: str, payments: int, within: str = "1h", **more: Any) -> dict[str, Any]:
    return {"per": scope, "payments": payments, "within": within} | more


def counters() -> dict[str, tuple[int, int]]:
    """(payments, amount) of each scope, whatever the buckets; nothing that is zero."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT scope || grain || name, sum(payments), sum(amount)::bigint FROM risk_counter GROUP BY 1"
            " HAVING sum(payments) <> 0 OR sum(amount) <> 0"
        )
        return {name: (payments, amount) for name, payments, amount in cursor.fetchall()}


def recounted() -> dict[str, tuple[int, int]]:
    """What the counters ought to hold, by what stands."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT counting FROM risk_rule_set ORDER BY version DESC LIMIT 1")
        row = cursor.fetchone()
    rule_set = run(risk.newest_rules())
    counting = risk.decode_rules(rule_set).counting if row else {}
    tally: dict[str, tuple[int, int]] = {}
    for one in past(NOW - timedelta(days=1), NOW + timedelta(days=30)):
        if not one.paid or one.undone_at is not None or one.made_at is None:
            continue
        for kind, since in counting.items():
            whose = risk.subjects(one.charge, [kind.scope]).get(kind.scope)
            if whose is not None and one.made_at >= since:
                name = f"{kind.scope.value}{kind.grain}{whose.name}"
                payments, amount = tally.get(name, (0, 0))
                tally[name] = (payments + 1, amount + one.charge.amount.minor)
    return tally


def run(statement: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, statement.params)
        return list(cursor.fetchall())


def log() -> list[tuple[str, Action | None, tuple[str, ...]]]:
    """(stage, action, rules that fired), oldest first."""
    return [
        (one.stage.value, one.action, tuple(look.rule for look in one.looked if look.fired))
        for one in reversed(risk.entries(1000))
    ]


def trips(scene: Scene, *commands: flows.Command, now: datetime = NOW) -> list[list[str]]:
    """The statements of each trip of a batch."""
    seen: list[list[str]] = []

    def watch(flow: Flow[Any]) -> Flow[Any]:
        try:
            wanted = next(flow)
            while True:
                seen.append([one.sql for one in wanted])
                wanted = flow.send((yield wanted))
        except StopIteration as end:
            return end.value

    with transaction.atomic(), connection.cursor() as cursor:
        run_sync(cursor, watch(flows.run_batch(commands, now, scene.desk)))
    scene.desk.committed()
    return seen


BLOCKS = ("wallets", "devices", "merchants", "terminals", "issuers", "mccs", "countries")


@pytest.mark.parametrize("what", BLOCKS)
def test_what_is_blocked_is_refused_and_nothing_moves(scene: Scene, what: str) -> None:
    ref = scene.merchant_id.hex[-20:]
    blocked = {
        "wallets": scene.wallet_id.hex,
        "devices": scene.device,
        "merchants": ref,
        "terminals": f"{ref}/S1/T1",
        "issuers": "COMPTOIR",
        "mccs": "5441",
        "countries": "BE",
    }
    activate({what: [blocked[what]]})
    command = scene.pay("R1", store_ref="S1", terminal_ref="T1")
    first, again = scene.one(command), scene.one(command)
    assert (first.code, again.code) == (REFUSED, REFUSED)
    assert first.payment is not None
    assert first.payment == again.payment
    assert (first.payment.state, scene.purse, scene.owed()) == (PaymentState.FAIL, START, 0)
    assert log() == [("pay", Action.REFUSE, ("r0",))], "a repeat is answered, not judged again"
    # The code is spent: it cannot be tried at another till until a rule lets it pass.
    assert scene.one(scene.pay("R2", code=command.code)).code == wallet.errors.CODE_USED


def test_what_is_not_blocked_pays_and_leaves_no_trace(scene: Scene) -> None:
    activate({"mccs": ["5944"]}, {"wallets": [new_id().hex]}, per("terminal", 0))
    assert scene.one(scene.pay("R1")).code == flows.OK
    assert log() == []


def test_an_amount_window_in_hours_of_the_day(scene: Scene) -> None:
    activate({"currency": "EUR", "above": "9.99", "hours": "10:00-11:00", "zone": "Europe/Brussels"})
    assert scene.one(scene.pay("R1", 999)).code == flows.OK
    assert scene.one(scene.pay("R2", 1000, code=scene.code(n=1))).code == REFUSED
    later = NOW + timedelta(hours=1)
    assert scene.one(scene.pay("R3", 1000, code=scene.code(later)), now=later).code == flows.OK


def test_a_small_payment_may_be_asked_the_pin_for(scene: Scene) -> None:
    activate({"action": "ask_pin", "currency": "EUR", "above": "5.00"})
    assert scene.one(scene.pay("R1", 500)).code == flows.OK
    waiting = scene.one(scene.pay("R2", 501, code=scene.code(n=1)))
    assert (waiting.code, scene.owed()) == (flows.IN_PROCESS, 500)
    [asked] = wallet.waiting(scene.wallet_id, NOW)
    confirm = flows.Confirm(wallet_id=scene.wallet_id, authorization_id=asked.id)
    assert scene.one(confirm).code == flows.OK
    assert scene.owed() == 1001
    assert log() == [("pay", Action.ASK_PIN, ("r0",)), ("confirm", Action.ASK_PIN, ("r0",))]


def test_a_flag_lets_pass_and_is_kept(scene: Scene) -> None:
    activate({"action": "flag", "countries": ["BE"]})
    assert scene.one(scene.pay("R1")).code == flows.OK
    assert log() == [("pay", Action.FLAG, ("r0",))]


def test_passed_payments_are_sampled_when_asked_for(scene: Scene) -> None:
    activate({"mccs": ["5944"]}, sample=1)
    assert scene.one(scene.pay("R1")).code == flows.OK
    assert log() == [("pay", None, ())]


def test_what_the_wallet_refuses_is_no_matter_of_the_rules(database: object) -> None:
    poor = make_scene(limits=wallet.Limits(no_pin=100, payment=100, day=100))
    activate({"countries": ["BE"]})
    assert poor.one(poor.pay("R1")).code == wallet.errors.PAYMENT_LIMIT
    assert log() == []


def test_a_batch_asks_nothing_for_rules_that_do_not_count_and_little_for_those_that_do(scene: Scene) -> None:
    """One more statement to load when a rule counts; none otherwise. What is written goes with the rest."""

    trips(scene, scene.pay("R0"))
    bare = trips(scene, scene.pay("R1", code=scene.code(n=1)))
    activate({"mccs": ["5944"]}, {"action": "ask_pin", "currency": "EUR", "above": "900.00"})
    assert sum(map(len, trips(scene, scene.pay("R2", code=scene.code(n=2))))) == sum(map(len, bare)) + 1
    assert trips(scene, scene.pay("R3", code=scene.code(n=3))) == bare, "the rules are in memory now"
    activate(*(per(scope, 99) for scope in risk.Scope), per("wallet", 99, "3d"), per("merchant", 99, "9d"))
    trips(scene, scene.pay("R4", code=scene.code(n=4)))
    counted = trips(scene, scene.pay("R5", code=scene.code(n=5)), make_pay(scene))
    flat = [sql for trip in counted for sql in trip]
    assert len(flat) == sum(map(len, bare)) + 1
    assert sum("risk_counter" in sql for sql in flat) == 2


def make_pay(scene: Scene) -> flows.Command:
    """A payment of another traveller at the same shop."""
    other = make_scene(merchant_id=scene.merchant_id)
    return other.pay("OTHER")


@pytest.mark.parametrize("scope", ["wallet", "device", "merchant", "terminal", "issuer"])
def test_a_limit_holds_over_batches_and_within_one(scene: Scene, scope: str) -> None:
    activate(per(scope, 3))
    commands = [scene.pay(f"R{n}", 100 + n, code=scene.code(n=n), terminal_ref="T1") for n in range(3)]
    assert [one.code for one in scene.do(*commands[:2])] == [flows.OK] * 2
    more = [scene.pay(f"S{n}", 100, code=scene.code(n=5 + n), terminal_ref="T1") for n in range(3)]
    assert [one.code for one in scene.do(*more)] == [flows.OK, REFUSED, REFUSED]
    assert scene.owed() == 301
    later = NOW + timedelta(minutes=61)
    assert scene.one(scene.pay("L", 100, code=scene.code(later), terminal_ref="T1"), later).code == flows.OK
    assert counters() == recounted()


def travellers(scene: Scene, number: int) -> list[Scene]:
    return [make_scene(merchant_id=scene.merchant_id) for _ in range(number)]


def test_strangers_in_one_batch_share_their_shops_limit(scene: Scene) -> None:
    """Decided side by side they are, but not past the limit; in the order in which they came."""
    activate(per("merchant", 5))
    many = travellers(scene, 9)
    outcomes = scene.do(*[one.pay(f"R{n}", 100) for n, one in enumerate(many)])
    assert [one.code for one in outcomes] == [flows.OK] * 5 + [REFUSED] * 4
    assert scene.owed() == 500


def test_a_batch_is_its_commands_one_after_another_when_amounts_are_limited(scene: Scene) -> None:
    """Sixty pass, then forty more do not, then small ones do until nothing is left."""
    activate({"per": "merchant", "currency": "EUR", "amount": "1.00", "within": "1h"})
    many = travellers(scene, 6)
    amounts = [60, 50, 30, 20, 10, 5]
    outcomes = scene.do(*[one.pay(f"R{n}", amounts[n]) for n, one in enumerate(many)])
    paid = [amount for amount, one in zip(amounts, outcomes, strict=True) if one.code == flows.OK]
    assert paid == [60, 30, 10]
    assert counters() == recounted()


def test_a_cancellation_makes_room_for_those_after_it_and_for_nobody_before(scene: Scene) -> None:
    activate(per("merchant", 1))
    before, after = travellers(scene, 2)
    first = scene.one(scene.pay("R1", 100)).payment
    assert first is not None
    outcomes = scene.do(before.pay("R2", 100), scene.cancel(first.id), after.pay("R3", 100))
    assert [one.code for one in outcomes] == [REFUSED, flows.OK, flows.OK]
    assert counters() == recounted() == {"merchant60": (1, 100)}


def test_a_payment_that_the_books_refuse_takes_nobodys_place(scene: Scene) -> None:
    activate(per("merchant", 2))
    poor, *others = [make_scene(balance=10, merchant_id=scene.merchant_id), *travellers(scene, 3)]
    outcomes = scene.do(poor.pay("R0", 100), *[one.pay(f"R{n}", 100) for n, one in enumerate(others, 1)])
    codes = [one.code for one in outcomes]
    assert codes == [wallet.errors.BALANCE_INSUFFICIENT, flows.OK, flows.OK, REFUSED]


def test_a_repeat_counts_once_and_a_cancellation_gives_back(scene: Scene) -> None:
    activate(per("wallet", 2))
    first = scene.pay("R1", 100)
    assert [one.code for one in scene.do(first, first, first)] == [flows.OK] * 3
    assert scene.one(first).code == flows.OK
    assert counters() == {"wallet60": (1, 100)}
    paid = scene.one(scene.pay("R2", 100, code=scene.code(n=1)))
    assert paid.payment is not None
    assert scene.one(scene.pay("R3", 100, code=scene.code(n=2))).code == REFUSED
    for _ in range(2):
        assert scene.one(scene.cancel(paid.payment.id)).code == flows.OK
    assert counters() == {"wallet60": (1, 100)}
    assert scene.one(scene.pay("R4", 100, code=scene.code(n=3))).code == flows.OK
    assert scene.one(scene.pay("R5", 100, code=scene.code(n=4))).code == REFUSED
    assert counters() == recounted()


def test_a_refund_does_not_give_back(scene: Scene) -> None:
    activate(per("wallet", 1))
    paid = scene.one(scene.pay("R1", 100))
    assert paid.payment is not None
    scene.one(scene.refund("F1", paid.payment.id, 100))
    assert scene.one(scene.pay("R2", 100, code=scene.code(n=1))).code == REFUSED


def test_what_waits_is_judged_again_when_it_is_approved(database: object) -> None:
    """Ten codes scanned at once cannot be approved one after another past the limit."""
    careful = make_scene(limits=wallet.Limits(no_pin=0, payment=500_000, day=2_000_000))
    activate(per("wallet", 2))
    careful.do(*[careful.pay(f"R{n}", 100, code=careful.code(n=n)) for n in range(4)])
    asked = wallet.waiting(careful.wallet_id, NOW)
    confirms = [flows.Confirm(wallet_id=careful.wallet_id, authorization_id=one.id) for one in asked]
    outcomes = careful.do(*confirms)
    assert sorted(one.code for one in outcomes) == [flows.OK, flows.OK, REFUSED, REFUSED]
    assert careful.owed() == 200
    assert [one.code for one in careful.do(*confirms)] == [one.code for one in outcomes]
    refused = [one.payment for one in outcomes if one.code == REFUSED]
    assert {one.state for one in refused if one} == {PaymentState.FAIL}
    assert [line[:2] for line in log()] == [("confirm", Action.REFUSE)] * 2
    assert_books_hold()


def test_what_is_held_counts_until_it_is_let_go(scene: Scene) -> None:
    activate({"per": "wallet", "currency": "EUR", "amount": "30.00", "within": "1h"})
    held = scene.one(scene.hold("R1", 10_00)).payment
    assert held is not None
    assert scene.one(scene.update("U1", held.id, 15_00)).code == flows.OK
    assert counters() == recounted() == {"wallet60": (1, 15_00)}
    # Judged as a payment of its new amount, beside what is held already.
    assert scene.one(scene.update("U2", held.id, 15_01)).code == REFUSED
    assert scene.one(scene.update("U3", held.id, 5_00)).code == flows.OK, "less is no matter of the rules"
    assert scene.one(scene.cancel(held.id)).code == flows.OK
    assert counters() == recounted() == {}
    part = scene.one(scene.hold("R2", 10_00, code=scene.code(n=1))).payment
    assert part is not None
    assert scene.one(scene.capture("C1", part.id, 1_00, last=True)).code == flows.OK
    assert counters() == recounted() == {"wallet60": (1, 10_00)}
    assert [line[:2] for line in log()] == [("update", Action.REFUSE)]


def test_a_larger_amount_cannot_be_asked_the_pin_for(scene: Scene) -> None:
    activate({"action": "ask_pin", "currency": "EUR", "above": "10.00"})
    held = scene.one(scene.hold("R1", 10_00)).payment
    assert held is not None
    assert scene.one(scene.update("U1", held.id, 10_01)).code == REFUSED
    assert scene.one(scene.update("U1", held.id, 10_01)).code == REFUSED
    assert scene.one(scene.update("U2", held.id, 9_00)).code == flows.OK


def test_an_agreement_is_judged_and_nobody_can_be_asked_the_pin_for_it(scene: Scene) -> None:
    agreed = Agreed(scene)
    activate(per("wallet", 2), {"action": "ask_pin", "currency": "EUR", "above": "5.00"})
    assert [one.code for one in scene.do(agreed.pay("R1", 500), agreed.pay("R2", 501))] == [flows.OK, REFUSED]
    assert [one.code for one in scene.do(agreed.pay("R3", 500), agreed.pay("R4", 500))] == [flows.OK, REFUSED]
    assert counters() == recounted() == {"wallet60": (2, 1000)}
    assert scene.owed() == 1000
    assert [line[1] for line in log()] == [Action.ASK_PIN, Action.REFUSE]


def test_an_order_that_one_wallet_may_not_pay_is_free_for_another(scene: Scene) -> None:
    activate({"wallets": [scene.wallet_id.hex]})
    [other] = travellers(scene, 1)
    order = scene.one(scene.order("R1", 2000)).payment
    assert order is not None
    assert order.order_code is not None

    def try_it(wallet_id: Any) -> list[str]:
        scene.one(flows.Claim(order_code=order.order_code or "", wallet_id=wallet_id))
        [asked] = wallet.waiting(wallet_id, NOW)
        confirm = flows.Confirm(wallet_id=wallet_id, authorization_id=asked.id)
        return [scene.one(confirm).code for _ in range(2)]

    assert try_it(scene.wallet_id) == [REFUSED, REFUSED]
    assert (scene.purse, scene.owed()) == (START, 0)
    assert try_it(other.wallet_id) == [flows.OK, flows.OK]
    assert (scene.purse, scene.owed()) == (START, 2000)


def test_rules_count_from_when_they_are_in_force(scene: Scene) -> None:
    scene.one(scene.pay("R0", 100))
    at = NOW + timedelta(seconds=1)
    assert [activate(per("wallet", 1), now=at), activate(per("wallet", 2), now=at)] == [1, 2]
    codes = [scene.one(scene.pay(f"R{n}", 100, code=scene.code(at, n)), at).code for n in range(1, 4)]
    assert codes == [flows.OK, flows.OK, REFUSED]
    # A version that goes on counting knows what was; one that stops for a while begins anew.
    activate(per("wallet", 3), now=at)
    codes = [scene.one(scene.pay(f"S{n}", 100, code=scene.code(at, n)), at).code for n in range(4, 6)]
    assert codes == [flows.OK, REFUSED]
    assert activate(now=at) == 4
    assert scene.one(scene.pay("S6", 100, code=scene.code(at, 6)), at).code == flows.OK


def test_a_block_of_a_merchant_that_nobody_knows_is_refused(scene: Scene) -> None:
    for mistake in ({"merchants": ["M404"]}, {"terminals": ["M404/S/T"]}):
        with pytest.raises(risk.RulesInvalid, match="M404"):
            activate(mistake)
    assert risk.versions() == ()
    assert scene.one(scene.pay("R1")).code == flows.OK


def test_counters_that_no_rule_can_look_at_are_forgotten(scene: Scene) -> None:
    activate(per("wallet", 9, "1h"), per("wallet", 9, "1d"), per("wallet", 9, "9d"))
    scene.one(scene.pay("R1", 100))
    forgotten = {}
    for days in (0, 1, 5, 33):
        statements = risk.forget_counters(NOW + timedelta(days=days), 100)
        forgotten[days] = [len(run(one)) for one in statements]
    assert forgotten == {0: [0, 0, 0], 1: [1, 0, 0], 5: [0, 1, 0], 33: [0, 0, 1]}


@pytest.mark.parametrize("table", ["risk_rule_set", "risk_entry"])
def test_rule_sets_and_the_log_are_never_changed(scene: Scene, table: str) -> None:
    activate({"action": "flag", "countries": ["BE"]})
    scene.one(scene.pay("R1", 100))
    for change in (f"UPDATE {table} SET version = 9", f"DELETE FROM {table}", f"TRUNCATE {table}"):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(change)


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


@pytest.mark.parametrize("seed", range(4))
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
    agreed = [Agreed(one) for one in people]
    activate(*rules)
    desk, now, paid = people[0].desk, NOW, []
    for number in range(60):
        now += timedelta(seconds=chance.randrange(1, 240))
        one = chance.choice(people)
        minor = chance.randrange(100, 1000)
        match chance.randrange(8):
            case 0:
                made = flows.execute([one.order(f"R{number}", minor, terminal_ref="T1")], now, desk)[
                    0
                ].payment
                assert made is not None
                claim = flows.Claim(order_code=made.order_code or "", wallet_id=one.wallet_id)
                flows.execute([claim], now, desk)
            case 4:
                command = chance.choice(agreed).pay(f"R{number}", minor, terminal_ref="T2")
                flows.execute([command], now, desk)
            case 1 if paid:
                payment_id = paid.pop(chance.randrange(len(paid)))
                flows.execute([one.cancel(payment_id)], now, desk)
            case 2 | 3:
                for asked in wallet.waiting(one.wallet_id, now)[:1]:
                    confirm = flows.Confirm(wallet_id=one.wallet_id, authorization_id=asked.id)
                    flows.execute([confirm], now, desk)
            case _:
                till = chance.choice(("T1", "T2"))
                command = one.pay(f"R{number}", minor, code=one.code(now, number % 10), terminal_ref=till)
                outcome = flows.execute([command], now, desk)[0]
                if outcome.code == flows.OK and outcome.payment is not None:
                    paid.append(outcome.payment.id)

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
    assert_books_hold()
    assert counters() == recounted()


def fired(looked: tuple[risk.Look, ...]) -> tuple[str, ...]:
    return tuple(one.rule for one in looked if one.fired)


def test_the_phases_of_a_subscription_are_judged_and_counted(scene: Scene) -> None:
    scene.desk = flows.Desk(10_000)
    first, second = begun(scene, "S1"), begun(scene, "S2")
    activate(per("wallet", 1))
    outcomes = scene.do(renewal(first), renewal(second), now=BEGINS)
    assert [one.code for one in outcomes] == [flows.OK, REFUSED]
    assert counters() == {"wallet60": (1, 1000)}
    assert scene.owed() == 1000
    assert (stands(first.id).phase, stands(second.id).attempt) == (2, 2)
