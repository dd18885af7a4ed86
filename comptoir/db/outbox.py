"""The outbox: work to be done after a commit, written in the same transaction as what causes it.

A worker claims what is due for the length of a *lease*; nobody else gets the item meanwhile. It then
reports done, retry or dead. A worker that dies reports nothing: once the lease has run out the item is
claimed again. So an item is handled at least once, perhaps twice, never not at all. Order is not kept.

Topics, payloads and what a failure means belong to the caller. A payload carries no secret.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from comptoir.kernel.statements import Rows, Statement, json_value
from comptoir.kernel.watch import Backlog

#: Errors are for people who look: a class and a few words, never a body.
_ERROR_CHARACTERS = 300

#: How many due items a claim looks at for each it may take: some are one owner's, or in other hands.
_LOOK_AHEAD = 8


class OutboxItem(msgspec.Struct, frozen=True):
    """One piece of work. `id` is made by the caller; `due_at` is the earliest instant to do it."""

    id: UUID
    owner_id: UUID
    topic: str
    subject_id: UUID
    payload: dict[str, Any]
    due_at: datetime


class Claimed(msgspec.Struct, frozen=True):
    """An item in our hands until `leased_until`.

    `attempts` counts claims from 1; `lost` those of which nobody ever reported the end: a worker died,
    or it was the item that killed it. `words` are those that an earlier try left.
    """

    item: OutboxItem
    attempts: int
    lost: int
    leased_until: datetime
    words: bytes | None = None

    @property
    def tries(self) -> int:
        """This try and those before it that came to an end."""
        return self.attempts - self.lost


class Kept(msgspec.Struct, frozen=True):
    """An item as it stands, whatever became of it: `done_at`, `dead_at`, or neither while it is open.

    `last_error` is that of the last try, if it failed; `in_hands`: somebody has it at the moment. `words`
    are those that a try left.
    """

    item: OutboxItem
    attempts: int
    done_at: datetime | None
    dead_at: datetime | None
    last_error: str | None = None
    in_hands: bool = False
    words: bytes | None = None


_KEPT = """
SELECT id, owner_id, topic, subject_id, payload, due_at, attempts, done_at, dead_at, last_error,
    leased_until IS NOT NULL, words
FROM db_outbox WHERE owner_id = %s AND topic = ANY (%s::text[])
"""


def enqueue(items: Sequence[OutboxItem]) -> Statement:
    """Write items; one whose (owner, id) is there already is left as it is. Returns no rows."""
    return Statement(
        """
        INSERT INTO db_outbox (owner_id, id, topic, subject_id, payload, due_at)
        SELECT owner_id, id, topic, subject_id, payload, due_at
        FROM jsonb_to_recordset(%s::jsonb)
            AS item(owner_id uuid, id uuid, topic text, subject_id uuid, payload jsonb, due_at timestamptz)
        ON CONFLICT DO NOTHING
        """,
        (msgspec.json.encode(items).decode(),),
    )


def claim(
    topics: Sequence[str],
    limit: int,
    now: datetime,
    lease_seconds: float,
    *,
    per_owner: int | None = None,
    busy: Sequence[UUID] = (),
) -> Statement:
    """Take up to `limit` items that are due, the longest waiting first; see `decode_claimed`.

    At most `per_owner` of one owner, none of the owners in `busy`: how a caller with few hands keeps
    one owner's backlog from taking them all. Two callers never get the same item while a lease lasts.
    """
    cap = limit if per_owner is None else min(per_owner, limit)
    return Statement(
        """
        WITH due AS (
            SELECT owner_id, id, due_at FROM db_outbox
            WHERE done_at IS NULL AND dead_at IS NULL AND due_at <= %s
                AND (leased_until IS NULL OR leased_until <= %s)
                AND topic = ANY(%s::text[]) AND owner_id <> ALL(%s::uuid[])
            ORDER BY due_at LIMIT %s
        ), ranked AS (
            SELECT *, row_number() OVER (PARTITION BY owner_id ORDER BY due_at, id) AS place FROM due
        ), taken AS (
            SELECT item.owner_id, item.id
            FROM db_outbox AS item JOIN ranked USING (owner_id, id)
            WHERE ranked.place <= %s
                -- Asked again of the locked row: another caller may have had it since we looked.
                AND item.done_at IS NULL AND item.dead_at IS NULL AND item.due_at <= %s
                AND (item.leased_until IS NULL OR item.leased_until <= %s)
            ORDER BY ranked.due_at LIMIT %s
            FOR UPDATE OF item SKIP LOCKED
        )
        UPDATE db_outbox AS item
            SET leased_until = %s, attempts = attempts + 1, lost = lost + (leased_until IS NOT NULL)::int
        FROM taken WHERE item.owner_id = taken.owner_id AND item.id = taken.id
        RETURNING item.id, item.owner_id, item.topic, item.subject_id, item.payload, item.due_at,
            item.attempts, item.lost, item.leased_until, item.words
        """,
        (
            now, now, list(topics), list(busy), limit * _LOOK_AHEAD,
            cap, now, now, limit,
            now + timedelta(seconds=lease_seconds),
        ),
    )  # fmt: skip


def decode_claimed(rows: Rows) -> list[Claimed]:
    """The rows of `claim`, the longest waiting first."""
    claimed = [
        Claimed(
            item=OutboxItem(row[0], row[1], row[2], row[3], json_value(row[4]), row[5]),
            attempts=row[6],
            lost=row[7],
            leased_until=row[8],
            words=_bytes(row[9]),
        )
        for row in rows
    ]
    return sorted(claimed, key=lambda one: (one.item.due_at, one.item.id))


def done(claimed: Claimed, now: datetime, words: bytes | None = None) -> Statement:
    """It is done, even when the lease has run out meanwhile. Returns no rows.

    `words`, here and below: what this try said, for the next and for whoever asks. The first that were left
    stay.
    """
    return Statement(
        """
        UPDATE db_outbox SET done_at = %s, leased_until = NULL, last_error = NULL, words = coalesce(words, %s)
        WHERE owner_id = %s AND id = %s AND done_at IS NULL AND dead_at IS NULL
        """,
        (now, words, claimed.item.owner_id, claimed.item.id),
    )


def retry(claimed: Claimed, due_at: datetime, error: str, words: bytes | None = None) -> Statement:
    """Try again at `due_at`. Does nothing once somebody else has claimed the item. Returns no rows."""
    return Statement(
        """
        UPDATE db_outbox SET due_at = %s, leased_until = NULL, last_error = %s, words = coalesce(words, %s)
        WHERE owner_id = %s AND id = %s AND leased_until = %s AND done_at IS NULL AND dead_at IS NULL
        """,
        (due_at, _short(error), words, claimed.item.owner_id, claimed.item.id, claimed.leased_until),
    )


def dead(claimed: Claimed, now: datetime, error: str, words: bytes | None = None) -> Statement:
    """Give up; the row stays, for people. Does nothing once somebody else has claimed the item."""
    return Statement(
        """
        UPDATE db_outbox SET dead_at = %s, leased_until = NULL, last_error = %s, words = coalesce(words, %s)
        WHERE owner_id = %s AND id = %s AND leased_until = %s AND done_at IS NULL AND dead_at IS NULL
        """,
        (now, _short(error), words, claimed.item.owner_id, claimed.item.id, claimed.leased_until),
    )


def kept(
    owner_id: UUID,
    topics: Sequence[str],
    events: Sequence[str],
    after: UUID,
    before: UUID,
    limit: int,
) -> Statement:
    """Items of one owner whose ids lie between two others, the newest first; see `decode_kept`.

    Of those whose payload names an `event`, only these `events`. What was done and forgotten is not among
    them.
    """
    return Statement(
        _KEPT
        + """
        AND (payload->>'event' IS NULL OR payload->>'event' = ANY (%s::text[])) AND id > %s AND id < %s
        ORDER BY id DESC LIMIT %s
        """,
        (owner_id, list(topics), list(events), after, before, limit),
    )


def listed(
    owner_id: UUID,
    topics: Sequence[str],
    limit: int,
    *,
    before: UUID | None = None,
    payload: Mapping[str, Any] | None = None,
    undone: bool = False,
) -> Statement:
    """Items of one owner, the newest first, below the id `before`; see `decode_kept`.

    `payload`: only those whose payload holds these members. `undone`: only open and dead ones.
    """
    where, params = "", [owner_id, list(topics)]
    if before is not None:
        where += "AND id < %s "
        params.append(before)
    if payload:
        where += "AND payload @> %s::jsonb "
        params.append(msgspec.json.encode(payload).decode())
    if undone:
        where += "AND done_at IS NULL "
    return Statement(f"{_KEPT}{where}ORDER BY id DESC LIMIT %s", [*params, limit])


def about(owner_id: UUID, topics: Sequence[str], subjects: Sequence[UUID]) -> Statement:
    """Items of one owner about any of these subjects, the oldest first; see `decode_kept`."""
    return Statement(
        _KEPT + "AND subject_id = ANY (%s::uuid[]) ORDER BY id", (owner_id, list(topics), list(subjects))
    )


def named(owner_id: UUID, topics: Sequence[str], item_id: UUID) -> Statement:
    """One item; see `decode_kept`."""
    return Statement(_KEPT + "AND id = %s", (owner_id, list(topics), item_id))


def decode_kept(rows: Rows) -> list[Kept]:
    """The rows of `kept`, `listed`, `about` or `named`."""
    return [
        Kept(
            OutboxItem(row[0], row[1], row[2], row[3], json_value(row[4]), row[5]),
            attempts=row[6],
            done_at=row[7],
            dead_at=row[8],
            last_error=row[9],
            in_hands=row[10],
            words=_bytes(row[11]),
        )
        for row in rows
    ]


def again(owner_id: UUID, topics: Sequence[str], item_id: UUID, now: datetime, pause: timedelta) -> Statement:
    """Have an item done once more, at once, whatever became of it. One row with its id if so.

    Not while somebody has it, and not when this was asked for less than `pause` ago: then there is no row.
    Its tries go on being counted: a dead item has one more, and is dead again if that is in vain.
    """
    return Statement(
        """
        UPDATE db_outbox SET due_at = %s, resent_at = %s, done_at = NULL, dead_at = NULL, leased_until = NULL
        WHERE owner_id = %s AND id = %s AND topic = ANY (%s::text[])
            AND (leased_until IS NULL OR leased_until <= %s) AND (resent_at IS NULL OR resent_at <= %s)
        RETURNING id
        """,
        (now, now, owner_id, item_id, list(topics), now, now - pause),
    )


def forget(before: datetime, limit: int) -> Statement:
    """Delete up to `limit` items that were done before an instant; the dead stay. One row per item."""
    return Statement(
        """
        DELETE FROM db_outbox WHERE (owner_id, id) IN (
            SELECT owner_id, id FROM db_outbox WHERE done_at < %s LIMIT %s FOR UPDATE SKIP LOCKED
        ) RETURNING id
        """,
        (before, limit),
    )


def backlog(now: datetime) -> Statement:
    """What there is of each topic: rows (topic, items due and in nobody's hands, due time of the oldest of
    them or NULL, dead items)."""
    return Statement(
        """
        SELECT topic, sum(due)::bigint, min(oldest), sum(dead)::bigint FROM (
            SELECT topic, count(*) AS due, min(due_at) AS oldest, 0 AS dead FROM db_outbox
            WHERE done_at IS NULL AND dead_at IS NULL AND due_at <= %s
                AND (leased_until IS NULL OR leased_until <= %s)
            GROUP BY topic
            UNION ALL
            SELECT topic, 0, NULL, count(*) FROM db_outbox WHERE dead_at IS NOT NULL GROUP BY topic
        ) AS kinds GROUP BY topic ORDER BY topic
        """,
        (now, now),
    )


def decode_backlog(rows: Rows, now: datetime) -> list[Backlog]:
    """The rows of `backlog`, by topic."""
    return [
        Backlog(topic, int(due), (now - oldest).total_seconds() if oldest else 0.0, int(dead))
        for topic, due, oldest, dead in rows
    ]


def _bytes(value: Any) -> bytes | None:
    return None if value is None else bytes(value)


def _short(error: str) -> str:
    """What PostgreSQL's text cannot hold is left out: an error may quote what a stranger sent."""
    return error[:_ERROR_CHARACTERS].replace("\0", "").encode(errors="ignore").decode()
