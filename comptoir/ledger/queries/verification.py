"""The proof that the books are whole: everything is computed again from the transfers alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from django.db import connection

from comptoir.db.snapshot import snapshot
from comptoir.ledger.rules import EPOCH, GENESIS, canonical, link

_CHUNK = 20_000

# Ids and instants as plain values: making objects of them took most of the time of the whole proof.
_TRANSFERS = """
SELECT b.seq, (extract(epoch FROM b.recorded_at) * 1000000)::bigint, b.transfers, b.previous, b.hash,
    t.id::text, t.owner_id::text, t.debit_id::text, t.credit_id::text, t.amount, t.currency, t.kind, t.phase,
    t.subject_id::text, t.pending_id::text, t.reverses_id::text,
    (extract(epoch FROM t.effective_at) * 1000000)::bigint
FROM ledger_batch b LEFT JOIN ledger_transfer t ON t.batch_seq = b.seq
ORDER BY b.seq, t.position
"""

# What each transfer does to the four sums of its two accounts, from the transfers alone.
_EFFECTS = """
SELECT t.batch_seq, side.account_id,
    CASE WHEN side.debit AND t.phase IN ('posted', 'post') THEN t.amount ELSE 0 END AS dp,
    CASE WHEN NOT side.debit AND t.phase IN ('posted', 'post') THEN t.amount ELSE 0 END AS cp,
    CASE WHEN side.debit THEN held.change ELSE 0 END AS dh,
    CASE WHEN side.debit THEN 0 ELSE held.change END AS ch
FROM ledger_transfer t
LEFT JOIN ledger_transfer hold ON hold.owner_id = t.owner_id AND hold.id = t.pending_id
CROSS JOIN LATERAL (VALUES (t.debit_id, true), (t.credit_id, false)) AS side (account_id, debit)
CROSS JOIN LATERAL (
    SELECT CASE WHEN t.phase = 'pending' THEN t.amount ELSE -coalesce(hold.amount, 0) END AS change
) AS held
"""

_HISTORY = f"""
WITH effect AS ({_EFFECTS}), per_batch AS (
    SELECT account_id, batch_seq, sum(dp) AS dp, sum(cp) AS cp, sum(dh) AS dh, sum(ch) AS ch
    FROM effect GROUP BY account_id, batch_seq
), running AS (
    SELECT account_id, batch_seq, sum(dp) OVER w AS dp, sum(cp) OVER w AS cp, sum(dh) OVER w AS dh,
        sum(ch) OVER w AS ch
    FROM per_batch WINDOW w AS (PARTITION BY account_id ORDER BY batch_seq)
)
SELECT coalesce(r.batch_seq, b.batch_seq), coalesce(r.account_id, b.account_id)
FROM running r FULL JOIN ledger_balance b ON b.account_id = r.account_id AND b.batch_seq = r.batch_seq
WHERE (r.dp, r.cp, r.dh, r.ch)
    IS DISTINCT FROM (b.debits_posted, b.credits_posted, b.debits_pending, b.credits_pending)
ORDER BY 1, 2 LIMIT 1
"""  # noqa: S608  (constants only)

_ACCOUNTS = f"""
WITH sums AS (
    SELECT account_id, sum(dp) AS dp, sum(cp) AS cp, sum(dh) AS dh, sum(ch) AS ch
    FROM ({_EFFECTS}) e GROUP BY account_id
)
SELECT coalesce(a.id, s.account_id), coalesce(a.role || ', ' || a.currency, 'not in the books'),
    concat_ws('/', coalesce(s.dp, 0), coalesce(s.cp, 0), coalesce(s.dh, 0), coalesce(s.ch, 0)),
    concat_ws('/', a.debits_posted, a.credits_posted, a.debits_pending, a.credits_pending)
FROM ledger_account a FULL JOIN sums s ON s.account_id = a.id
WHERE (coalesce(s.dp, 0), coalesce(s.cp, 0), coalesce(s.dh, 0), coalesce(s.ch, 0))
    IS DISTINCT FROM (a.debits_posted, a.credits_posted, a.debits_pending, a.credits_pending)
ORDER BY 1 LIMIT 1
"""  # noqa: S608  (constants only)

_FLOORS = """
SELECT id, role, currency, floor, ledger_available(a) FROM ledger_account a
WHERE floor IS NOT NULL AND ledger_available(a) < floor ORDER BY id LIMIT 1
"""

_CURRENCIES = """
SELECT t.id FROM ledger_transfer t
JOIN ledger_account d ON d.id = t.debit_id JOIN ledger_account c ON c.id = t.credit_id
WHERE d.currency <> t.currency OR c.currency <> t.currency ORDER BY t.batch_seq, t.position LIMIT 1
"""

_TOTALS = """
SELECT currency, sum(debits_posted), sum(credits_posted), sum(debits_pending), sum(credits_pending)
FROM ledger_account GROUP BY currency ORDER BY currency
"""


_STRAY = """
SELECT t.id FROM ledger_transfer t
WHERE NOT EXISTS (SELECT FROM ledger_batch b WHERE b.seq = t.batch_seq)
ORDER BY t.batch_seq, t.position LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class _Batch:
    """A link of the chain as it stands in the table."""

    seq: int
    recorded_at: datetime
    transfers: int
    previous: bytes
    hash: bytes


@dataclass
class CurrencyTotals:
    """All debits and credits of one currency, in minor units."""

    currency: str
    debits_posted: int
    credits_posted: int
    debits_pending: int
    credits_pending: int

    @property
    def balanced(self) -> bool:
        return self.debits_posted == self.credits_posted and self.debits_pending == self.credits_pending


@dataclass
class LedgerReport:
    """What was found. `differences` is empty when the books are whole; the first one comes first."""

    batches: int = 0
    transfers: int = 0
    totals: list[CurrencyTotals] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)


def verify() -> LedgerReport:
    """Recompute every chain link, every balance ever recorded, every floor and every currency's sum.

    Reads one snapshot (REPEATABLE READ), so it may run beside live traffic.
    """
    report = LedgerReport()
    with snapshot(), connection.cursor() as cursor:
        _verify_chain(report)
        _verify_sums(cursor, report)
    return report


def _verify_chain(report: LedgerReport) -> None:
    """Every link follows from the one before it and from its transfers; the head is the last link."""
    last = (0, GENESIS, EPOCH)
    for batch, texts in _batches():
        report.batches += 1
        report.transfers += len(texts)
        if difference := _broken_link(last, batch, texts):
            report.differences.append(difference)
            return
        last = (batch.seq, batch.hash, batch.recorded_at)
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq, hash, recorded_at FROM ledger_book WHERE id = 1")
        row = cursor.fetchone()
        head = row and (row[0], bytes(row[1]), row[2])
        cursor.execute(_STRAY)
        stray = cursor.fetchone()
    if head != last:
        named = f"names batch {head[0]} of {head[2]:%Y-%m-%d %H:%M:%S.%f}" if head else "is gone"
        report.differences.append(
            f"the book's head {named}, the chain ends at {last[0]} of {last[2]:%Y-%m-%d %H:%M:%S.%f}"
        )
    if stray:
        report.differences.append(f"transfer {stray[0].hex} belongs to no batch")


def _broken_link(last: tuple[int, bytes, datetime], batch: _Batch, texts: list[str]) -> str | None:
    """What is wrong between the last link (number, hash, instant) and the next, if anything is."""
    seq, previous, recorded_at = last
    if batch.seq != seq + 1:
        return f"batch {seq + 1} is missing from the chain"
    if batch.transfers != len(texts):
        return f"batch {batch.seq} holds {len(texts)} transfers, it recorded {batch.transfers}"
    if batch.previous != previous or link(previous, batch.seq, batch.recorded_at, texts) != batch.hash:
        return f"batch {batch.seq}: its hash is not that of its transfers"
    if batch.recorded_at < recorded_at:
        return f"batch {batch.seq} was recorded before the batch it follows"
    return None


def _batches() -> Iterator[tuple[_Batch, list[str]]]:
    """Each batch with the texts of its transfers, streamed in order."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(_TRANSFERS)
        for seq, rows in groupby(_stream(cursor), key=lambda row: row[0]):
            lines = list(rows)
            _, recorded_at, count, previous, link_hash = lines[0][:5]
            texts = [canonical(*row[5:]) for row in lines if row[5] is not None]
            at = EPOCH + timedelta(microseconds=recorded_at)
            yield _Batch(seq, at, count, bytes(previous), bytes(link_hash)), texts


def _stream(cursor: Any) -> Iterator[tuple[Any, ...]]:
    while rows := cursor.fetchmany(_CHUNK):
        yield from rows


def _verify_sums(cursor: Any, report: LedgerReport) -> None:
    cursor.execute(_ACCOUNTS)
    if row := cursor.fetchone():
        report.differences.append(
            f"account {row[0].hex} ({row[1]}): debits/credits/held debits/held credits are {row[2]}"
            f" by its transfers, the account says {row[3] or 'nothing'}"
        )
    cursor.execute(_HISTORY)
    if row := cursor.fetchone():
        report.differences.append(
            f"account {row[1].hex}: its recorded balance at batch {row[0]} is not its transfers'"
        )
    cursor.execute(_FLOORS)
    if row := cursor.fetchone():
        report.differences.append(
            f"account {row[0].hex} ({row[1]}, {row[2]}): {row[4]} is under its floor {row[3]}"
        )
    cursor.execute(_CURRENCIES)
    if row := cursor.fetchone():
        report.differences.append(f"transfer {row[0].hex} has another currency than its accounts")
    cursor.execute(_TOTALS)
    report.totals = [CurrencyTotals(row[0], *map(int, row[1:])) for row in cursor.fetchall()]
    for total in report.totals:
        if not total.balanced:
            report.differences.append(
                f"{total.currency}: debits {total.debits_posted} (held {total.debits_pending})"
                f" are not credits {total.credits_posted} (held {total.credits_pending})"
            )
