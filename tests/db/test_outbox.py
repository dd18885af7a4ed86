"""The outbox over a real database: once for each caller, again after a lease, never lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
from msgspec.structs import replace

from comptoir.db import outbox
from comptoir.kernel.ids import new_id
from comptoir.kernel.statements import Rows, Statement
from tests.conftest import Database

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
Connection = psycopg.Connection[tuple[Any, ...]]


def item(owner: UUID | None = None, *, topic: str = "a", due: float = 0, **payload: Any) -> outbox.OutboxItem:
    return outbox.OutboxItem(
        id=new_id(),
        owner_id=owner or uuid4(),
        topic=topic,
        subject_id=uuid4(),
        payload=payload,
        due_at=NOW + timedelta(seconds=due),
    )


def run(connection: Connection, statement: Statement) -> Rows:
    cursor = connection.execute(statement.sql, statement.params)  # type: ignore[call-overload]
    return cursor.fetchall() if cursor.description else []


def claim(connection: Connection, at: float = 0, limit: int = 10, **more: Any) -> list[outbox.Claimed]:
    now = NOW + timedelta(seconds=at)
    return outbox.decode_claimed(run(connection, outbox.claim(["a"], limit, now, 30, **more)))


def test_an_item_comes_back_as_it_was_written(connection: Connection) -> None:
    written = item(url="https://shop.example/通知", amounts={"minor": "12"}, none=None)
    run(connection, outbox.enqueue([written]))
    (claimed,) = claim(connection)
    assert claimed == outbox.Claimed(
        item=written, attempts=1, lost=0, leased_until=NOW + timedelta(seconds=30)
    )


def test_nothing_to_write_is_no_error(connection: Connection) -> None:
    run(connection, outbox.enqueue([]))
    assert claim(connection) == []


def test_the_same_item_twice_stays_one_and_the_first(connection: Connection) -> None:
    first = item(n=1)
    again = outbox.OutboxItem(first.id, first.owner_id, "a", first.subject_id, {"n": 2}, first.due_at)
    run(connection, outbox.enqueue([first, again]))
    run(connection, outbox.enqueue([again]))
    assert [one.item.payload for one in claim(connection)] == [{"n": 1}]


def test_it_is_written_with_its_cause_or_not_at_all(connection: Connection) -> None:
    with connection.transaction(force_rollback=True):
        run(connection, outbox.enqueue([item()]))
        assert len(claim(connection)) == 1
    assert claim(connection) == []


def test_only_what_is_due_and_of_the_topic_oldest_first(connection: Connection) -> None:
    late, early, other, future = item(due=-1), item(due=-2), item(topic="b"), item(due=1)
    run(connection, outbox.enqueue([late, early, other, future]))
    assert [one.item for one in claim(connection)] == [early, late]
    assert [one.item for one in claim(connection, at=1)] == [future]


def test_a_lease_holds_until_it_has_run_out(connection: Connection) -> None:
    run(connection, outbox.enqueue([item()]))
    assert [one.attempts for one in claim(connection)] == [1]
    assert claim(connection, at=29.9) == []
    (again,) = claim(connection, at=30)
    assert (again.attempts, again.lost, again.tries) == (2, 1, 1)


def test_done_is_never_claimed_again(connection: Connection) -> None:
    run(connection, outbox.enqueue([item()]))
    (mine,) = claim(connection)
    run(connection, outbox.done(mine, NOW))
    assert claim(connection, at=1e6) == []


def test_done_counts_even_when_the_lease_was_lost(connection: Connection) -> None:
    run(connection, outbox.enqueue([item()]))
    (slow,) = claim(connection)
    (second,) = claim(connection, at=31)
    run(connection, outbox.done(slow, NOW))
    run(connection, outbox.retry(second, NOW, "timed out"))
    run(connection, outbox.dead(second, NOW, "timed out"))
    assert claim(connection, at=1e6) == []
    assert connection.execute("SELECT dead_at FROM db_outbox").fetchall() == [(None,)]


def test_retry_waits_for_its_time(connection: Connection) -> None:
    run(connection, outbox.enqueue([item()]))
    (mine,) = claim(connection)
    run(connection, outbox.retry(mine, NOW + timedelta(minutes=2), "http 500"))
    assert claim(connection, at=119) == []
    (again,) = claim(connection, at=120)
    assert (again.attempts, again.lost, again.tries) == (2, 0, 2)


def test_who_lost_the_lease_can_neither_postpone_nor_bury(connection: Connection) -> None:
    run(connection, outbox.enqueue([item()]))
    (slow,) = claim(connection)
    (holder,) = claim(connection, at=31)
    run(connection, outbox.retry(slow, NOW + timedelta(days=1), "late news"))
    run(connection, outbox.dead(slow, NOW, "late news"))
    found = connection.execute("SELECT due_at, leased_until, dead_at, last_error FROM db_outbox").fetchone()
    assert found == (NOW, holder.leased_until, None, None)


def test_dead_stays_on_file_with_its_reason(connection: Connection) -> None:
    run(connection, outbox.enqueue([item()]))
    (mine,) = claim(connection)
    run(connection, outbox.dead(mine, NOW, "nul \0 and half a \ud800 character" + "x" * 1000))
    assert claim(connection, at=1e6) == []
    dead_at, error = connection.execute("SELECT dead_at, last_error FROM db_outbox").fetchone() or (None, "")
    assert dead_at == NOW
    assert error.startswith("nul  and half a  character")
    assert len(error) <= 300


def test_two_callers_share_nothing(database: Database) -> None:
    with psycopg.connect(database.url) as one, psycopg.connect(database.url) as other:
        with one.transaction():
            run(one, outbox.enqueue([item() for _ in range(10)]))
        first = claim(one, limit=6)  # its transaction is still open: the rows are locked, not yet leased
        second = claim(other, limit=6)
        one.commit(), other.commit()
        ids = {claimed.item.id for claimed in first + second}
        assert len(first) == 6
        assert len(ids) == len(first) + len(second)
        third = claim(one, limit=6)
        assert len(ids | {claimed.item.id for claimed in third}) == 10


def test_many_callers_in_a_hurry_get_each_item_once(database: Database, connection: Connection) -> None:
    run(connection, outbox.enqueue([item() for _ in range(600)]))

    taken: list[UUID] = []

    def work(_: int) -> None:
        with psycopg.connect(database.url, autocommit=True) as own:
            for _ in range(1000):
                taken.extend(one.item.id for one in claim(own, limit=3))
                if len(taken) >= 600:
                    break

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))
    assert len(taken) == len(set(taken)) == 600


def test_one_owner_cannot_take_all_hands(connection: Connection) -> None:
    busy, calm = uuid4(), uuid4()
    run(connection, outbox.enqueue([item(busy, due=-100 + n) for n in range(50)] + [item(calm)]))
    first = claim(connection, per_owner=3)
    assert [one.item.owner_id for one in first] == [busy] * 3 + [calm]
    assert first[0].item.due_at == NOW - timedelta(seconds=100)


def test_a_busy_owner_is_passed_over_however_long_its_queue(connection: Connection) -> None:
    busy, calm = uuid4(), uuid4()
    run(connection, outbox.enqueue([item(busy, due=-1000 + n) for n in range(500)] + [item(calm)]))
    assert [one.item.owner_id for one in claim(connection, limit=2, busy=[busy])] == [calm]


def listed(connection: Connection, owner: UUID, **wanted: Any) -> list[outbox.Kept]:
    return outbox.decode_kept(run(connection, outbox.listed(owner, ["a"], 10, **wanted)))


def test_the_list_is_one_owners_the_newest_first_and_paged(connection: Connection) -> None:
    owner = uuid4()
    items = [item(owner, client=f"c{n % 2}") for n in range(4)]
    items = [replace(one, id=UUID(int=number + 1)) for number, one in enumerate(items)]
    run(connection, outbox.enqueue([*items, item(), item(owner, topic="b")]))
    assert [one.item for one in listed(connection, owner)] == items[::-1]
    assert [one.item for one in listed(connection, owner, before=items[2].id)] == items[1::-1]
    assert [one.item for one in listed(connection, owner, payload={"client": "c1"})] == [items[3], items[1]]
    (claimed,) = claim(connection, limit=1)
    assert [one.in_hands for one in listed(connection, owner)].count(True) == 1
    run(connection, outbox.done(claimed, NOW))
    assert claimed.item not in [one.item for one in listed(connection, owner, undone=True)]
    about = outbox.about(owner, ["a"], [items[1].subject_id, items[0].subject_id])
    assert [one.item for one in outbox.decode_kept(run(connection, about))] == items[:2]
    assert outbox.decode_kept(run(connection, outbox.named(uuid4(), ["a"], items[0].id))) == []


def test_what_is_kept_is_the_newest_first_and_of_the_events_asked_for(connection: Connection) -> None:
    owner = uuid4()
    items = [item(owner), item(owner, event="X"), item(owner, event="Y"), item(owner, topic="b", event="X")]
    items = [replace(one, id=UUID(int=number + 1)) for number, one in enumerate(items)]
    run(connection, outbox.enqueue([*items, item(), item(owner, topic="c")]))

    def kept(topics: str, events: str, after: int = 0, before: int = 9, limit: int = 9) -> list[int]:
        ids = UUID(int=after), UUID(int=before)
        wanted = outbox.kept(owner, list(topics), list(events), *ids, limit)
        return [one.item.id.int for one in outbox.decode_kept(run(connection, wanted))]

    assert kept("ab", "XY") == [4, 3, 2, 1]
    assert kept("ab", "X") == [4, 2, 1]
    assert kept("b", "XY") == [4]
    assert kept("a", "") == [1]
    assert kept("", "") == []
    assert kept("ab", "XY", after=1, before=4) == [3, 2]
    assert kept("ab", "XY", limit=1) == [4]


def test_few_are_found_among_many_payments_by_an_index(connection: Connection) -> None:
    """One dispute and three refunds in a thousand payments: they are not looked for among the payments."""
    owner, first, last = UUID(int=7), UUID(int=0), UUID(int=2**128 - 1)
    connection.execute(
        """
        INSERT INTO db_outbox (owner_id, id, topic, subject_id, payload, due_at)
        SELECT %s, lpad(to_hex(n), 32, '0')::uuid, CASE WHEN n %% 1000 = 0 THEN 'notify.dispute'
            WHEN n %% 333 = 0 THEN 'notify.refund' ELSE 'notify.payment' END, %s, '{}', now()
        FROM generate_series(1, 20000) AS n
        """,
        (owner, owner),
    )
    connection.execute("ANALYZE db_outbox")
    for topics, index in (
        (["notify.dispute"], "db_outbox_kinds"),
        (["notify.dispute", "notify.refund"], "db_outbox_kinds"),
        (["notify.dispute", "notify.payment"], "db_outbox_pkey"),
    ):
        asked = outbox.kept(owner, topics, ["X"], first, last, 11)
        plan = connection.execute("EXPLAIN " + asked.sql, asked.params).fetchall()  # type: ignore[call-overload]
        assert index in str(plan), plan


def test_the_first_words_stay_with_an_item_to_its_end_and_beyond(connection: Connection) -> None:
    def words() -> Any:
        return connection.execute("SELECT words FROM db_outbox").fetchone()

    one = item()
    run(connection, outbox.enqueue([one]))
    (first,) = claim(connection)
    assert first.words is None
    run(connection, outbox.retry(first, NOW, "http 500", b"first"))
    (second,) = claim(connection)
    assert second.words == b"first"
    run(connection, outbox.dead(second, NOW, "http 500", b"other"))
    assert words() == (b"first",)
    run(connection, outbox.again(one.owner_id, ["a"], one.id, NOW, timedelta(seconds=10)))
    (third,) = claim(connection)
    run(connection, outbox.done(third, NOW))
    assert words() == (b"first",)
    (kept,) = outbox.decode_kept(run(connection, outbox.named(one.owner_id, ["a"], one.id)))
    assert kept.words == b"first"


def test_what_is_asked_for_again_is_due_at_once_and_not_twice(connection: Connection) -> None:
    """Done or dead, it is done once more; its tries go on being counted."""
    pause, owner = timedelta(seconds=10), uuid4()
    done, dead = item(owner), item(owner)
    run(connection, outbox.enqueue([done, dead]))
    first, second = claim(connection)
    run(connection, outbox.done(first, NOW))
    run(connection, outbox.dead(second, NOW, "answered HTTP 500"))
    assert claim(connection, at=60) == []

    def again(one: outbox.OutboxItem, at: float, topics: tuple[str, ...] = ("a",)) -> bool:
        now = NOW + timedelta(seconds=at)
        return bool(run(connection, outbox.again(owner, topics, one.id, now, pause)))

    for one in (first.item, second.item):
        assert again(one, 60)
        assert not again(one, 69)
    assert sorted(one.attempts for one in claim(connection, at=70)) == [2, 2]
    assert not again(first.item, 80)  # somebody has it
    assert again(first.item, 101)  # whoever had it has not been heard of since
    assert not again(first.item, 200, ("b",))
    assert not run(connection, outbox.again(uuid4(), ["a"], done.id, NOW, pause))


def test_asking_again_at_once_from_many_sides_does_it_once(database: Database) -> None:
    one = item()
    with psycopg.connect(database.url, autocommit=True) as connection:
        run(connection, outbox.enqueue([one]))

    def ask(_: int) -> int:
        with psycopg.connect(database.url, autocommit=True) as mine:
            return len(run(mine, outbox.again(one.owner_id, ["a"], one.id, NOW, timedelta(seconds=10))))

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask, range(8))) == 1
