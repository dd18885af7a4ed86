"""Many at once, each on a connection of its own: the floor holds, nothing is lost, nobody deadlocks."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, pairwise
from threading import Barrier
from typing import Any

import psycopg
import pytest

from comptoir.kernel.statements import Statement
from comptoir.ledger import api as ledger
from comptoir.ledger import errors
from comptoir.ledger.api import Phase, Side, Transfer
from tests.conftest import Database
from tests.ledger import books

Connection = psycopg.Connection[tuple[Any, ...]]
THREADS = 8


def send(connection: Connection, statement: Statement) -> list[tuple[Any, ...]]:
    cursor = connection.execute(statement.sql, statement.params)
    return list(cursor.fetchall())


def together(database: Database, works: list[Callable[[Connection], Any]]) -> list[Any]:
    """Run the works at the same moment, each in a thread with its own connection; their results in order."""
    start = Barrier(len(works))

    def work_on(work: Callable[[Connection], Any]) -> Any:
        with psycopg.connect(database.url, autocommit=True) as connection:
            start.wait()
            return work(connection)

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(work_on, works))


def one_by_one(transfers: list[Transfer]) -> Callable[[Connection], list[str]]:
    """Post each transfer in a transaction of its own; the code of each, `ok` if posted."""

    def work(connection: Connection) -> list[str]:
        return [ledger.refusals(send(connection, ledger.post([one]))).get(0, "ok") for one in transfers]

    return work


def test_exactly_what_the_floor_allows_gets_through(database: Database) -> None:
    till, ann, shop = books.account(Side.DEBIT), books.account(floor=0), books.account()
    ledger.post_now([books.transfer(till, ann, 1000)])
    tries = [[books.transfer(ann, shop, 30) for _ in range(10)] for _ in range(THREADS)]
    codes = list(chain.from_iterable(together(database, [one_by_one(mine) for mine in tries])))
    assert sorted(set(codes)) == [errors.FLOOR, "ok"]
    assert codes.count("ok") == 1000 // 30
    assert ledger.balance(ann).posted == 1000 - 33 * 30
    assert ledger.balance(shop).posted == 33 * 30
    assert ledger.verify().differences == []


def test_one_transfer_sent_by_many_is_posted_once(database: Database) -> None:
    till, ann = books.account(Side.DEBIT), books.account()
    one = books.transfer(till, ann, 10)
    codes = list(chain.from_iterable(together(database, [one_by_one([one]) for _ in range(THREADS)])))
    assert sorted(codes) == [errors.EXISTS] * (THREADS - 1) + ["ok"]
    assert ledger.balance(ann).posted == 10


def test_one_hold_resolved_by_many_is_resolved_once(database: Database) -> None:
    till, ann, shop = books.account(Side.DEBIT), books.account(floor=0), books.account()
    hold = books.transfer(ann, shop, 60, phase=Phase.PENDING)
    ledger.post_now([books.transfer(till, ann, 100)])
    ledger.post_now([hold])
    ends = [
        books.transfer(ann, shop, 60, phase=(Phase.POST, Phase.VOID)[turn % 2], pending_id=hold.id)
        for turn in range(THREADS)
    ]
    codes = list(chain.from_iterable(together(database, [one_by_one([one]) for one in ends])))
    assert sorted(codes) == [errors.PENDING_RESOLVED] * (THREADS - 1) + ["ok"]
    assert ledger.balance(ann).available in (40, 100)
    assert ledger.verify().differences == []


def test_money_that_crosses_does_not_deadlock(database: Database) -> None:
    """A to B and B to A in the same moment, in groups, in transactions that post more than once."""
    till, accounts = books.account(Side.DEBIT), [books.account(floor=0) for _ in range(4)]
    ledger.post_now([books.transfer(till, one, 10_000) for one in accounts])

    def crossing(number: int) -> Callable[[Connection], int]:
        order = accounts if number % 2 else accounts[::-1]
        pairs = list(pairwise(order))

        def work(connection: Connection) -> int:
            for _ in range(10):
                with connection.transaction():
                    for pair in pairs:
                        legs = [books.transfer(*pair, 1, group=0), books.transfer(*pair[::-1], 2, group=0)]
                        assert send(connection, ledger.post(legs)) == []
            return 10 * len(pairs)

        return work

    done = sum(together(database, [crossing(number) for number in range(THREADS)]))
    assert done == THREADS * 30
    assert sum(ledger.balance(one).posted for one in accounts) == 40_000
    report = ledger.verify()
    assert report.differences == []
    assert report.transfers == 4 + 2 * done


def test_who_waited_for_the_books_sees_what_was_posted_meanwhile(database: Database) -> None:
    """The lock is taken before anything is read: the second to come decides on the first one's books."""
    till, ann, shop = books.account(Side.DEBIT), books.account(floor=0), books.account()
    ledger.post_now([books.transfer(till, ann, 100)])
    with psycopg.connect(database.url) as first, ThreadPoolExecutor(1) as pool:
        send(first, ledger.lock())
        first.execute("SET LOCAL transaction_timeout = 0")  # however long the other takes to come
        assert send(first, ledger.post([books.transfer(ann, shop, 60)])) == []
        late = pool.submit(together, database, [one_by_one([books.transfer(ann, shop, 60)])])
        _until_somebody_waits(database)
        assert not late.done()
        first.commit()
        assert late.result(timeout=20) == [[errors.FLOOR]]
    assert ledger.balance(ann).posted == 40


def test_the_books_can_be_proven_beside_live_traffic(database: Database) -> None:
    till, ann = books.account(Side.DEBIT), books.account()
    traffic = one_by_one([books.transfer(till, ann, 1) for _ in range(60)])

    def prove(_: Connection) -> list[str]:
        from django.db import connection

        try:
            return [difference for _ in range(8) for difference in ledger.verify().differences]
        finally:
            connection.close()

    *codes, found = together(database, [traffic, prove])
    assert codes == [["ok"] * 60]
    assert found == []


def _until_somebody_waits(database: Database) -> None:
    """Until a session of this database waits for a lock."""
    with psycopg.connect(database.url, autocommit=True) as connection:
        for _ in range(400):
            rows = connection.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            ).fetchall()
            if rows[0][0]:
                return
            connection.execute("SELECT pg_sleep(0.02)")
    raise AssertionError("nobody waits for the books")


@pytest.mark.slow
def test_whoever_hangs_with_the_books_in_its_hands_loses_them(database: Database) -> None:
    """After a pipeline too, which is how the engine asks: the server takes them back, others go on."""

    def take_and_hang() -> None:
        with psycopg.connect(database.url, autocommit=True) as hanging, hanging.transaction():
            with hanging.pipeline():
                send(hanging, ledger.lock())
                hanging.execute("SELECT 1")
            taken.wait()
            assert other.result(60)
            hanging.execute("SELECT 1")

    def take() -> list[tuple[Any, ...]]:
        with psycopg.connect(database.url, autocommit=True) as connection:
            taken.wait()
            return send(connection, ledger.lock())

    taken = Barrier(2)
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(take)
        with pytest.raises(psycopg.errors.TransactionTimeout):
            take_and_hang()
