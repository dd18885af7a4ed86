"""A queue with an end, and a command that breaks beside those that do not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.api.support import House, pause, together
from tests.api.till import Answer
from tests.cli.processes import wait_for
from tests.conftest import Database

pytestmark = pytest.mark.slow

SUCCESS = ("SUCCESS", "S")
THROTTLED = ("REQUEST_TRAFFIC_EXCEED_LIMIT", "U")
UNKNOWN = ("UNKNOWN_EXCEPTION", "U")


@pytest.fixture
def small(database: Database, tmp_path: Path) -> Iterator[House]:
    """One gateway of one process, whose engine lets four wait and commits eight at a time."""
    house = House(database.url, tmp_path)
    try:
        house.gateway("--workers", "1", COMPTOIR_ENGINE_MAX_WAITING="4", COMPTOIR_ENGINE_MAX_BATCH="8")
        yield house
    finally:
        house.close()


def test_who_finds_the_queue_full_is_told_at_once_to_come_again(small: House) -> None:
    """U, before anything else happens; the same request succeeds later. Nobody waits without an end."""
    shop, li = small.shop(), small.traveller(phones=4)
    codes = [li.code() for _ in range(24)]

    told: list[int] = []

    def pay(n: int) -> Answer:
        answer = shop.till.pay(f"R{n}", codes[n])
        told.append(n)
        return answer

    def release() -> None:
        """The books are held until all have been told whom neither the queue nor a batch took."""
        wait_for(lambda: len(told) >= len(codes) - (4 + 8), seconds=10)
        holder.rollback()

    with psycopg.connect(small.url) as holder:
        holder.execute("SELECT ledger_lock()")
        calls = [lambda n=n: pay(n) for n in range(len(codes))]
        answers, _ = together([lambda: together(calls), release])
    kinds = Counter(answer.kind for answer in answers)  # type: ignore[attr-defined]
    assert kinds.keys() == {SUCCESS, THROTTLED}
    assert 1 <= kinds[SUCCESS] <= 4 + 8
    throttled = [n for n in range(len(codes)) if answers[n].kind == THROTTLED]  # type: ignore[index]
    assert shop.owed == 1000 * kinds[SUCCESS]
    small.assert_holds()
    for n in throttled:
        assert shop.till.pay(f"R{n}", codes[n]).kind == SUCCESS
    assert shop.owed == 1000 * len(codes)
    small.assert_holds()


def test_a_command_that_breaks_does_not_hurt_its_neighbors(house: House) -> None:
    """Its records contradict each other: U for its own caller, and all that shared its batch are done."""
    shop, li = house.shop(ports=house.ports[:1]), house.traveller(phones=4)
    broken = shop.till.pay("BROKEN", li.code())
    others = [shop.till.pay(f"R{n}", li.code()) for n in range(6)]
    assert {one.kind for one in [broken, *others]} == {SUCCESS}
    tamper(house, "authorised", "declined", str(broken["paymentId"]))
    codes = [li.code() for _ in range(10)]
    calls = [lambda: shop.till.cancel("BROKEN")]
    calls += [lambda n=n: shop.till.cancel(f"R{n}") for n in range(6)]
    calls += [lambda n=n: shop.till.pay(f"N{n}", codes[n]) for n in range(10)]
    with psycopg.connect(house.url) as holder:
        holder.execute("SELECT ledger_lock()")
        answers, _ = together([lambda: together(calls), lambda: (pause(1.5), holder.rollback())])
    first, *rest = answers  # type: ignore[misc]
    assert first.kind == UNKNOWN
    assert {one.kind for one in rest} == {SUCCESS}
    assert shop.owed == 11_000
    assert shop.till.inquire("BROKEN")["paymentStatus"] == "SUCCESS"
    tamper(house, "declined", "authorised", str(broken["paymentId"]))
    assert shop.till.cancel("BROKEN").kind == SUCCESS
    assert shop.owed == 10_000
    house.assert_holds()


def tamper(house: House, before: str, after: str, payment_id: str) -> None:
    with psycopg.connect(house.url, autocommit=True) as connection:
        changed = connection.execute(
            "UPDATE wallet_authorization SET state = %s WHERE state = %s AND payment_id = %s",
            (after, before, payment_id),
        )
        assert changed.rowcount == 1
