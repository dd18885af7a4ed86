"""The hash chain, computed without the database: the second opinion that `verify` compares with.

A transfer's text is its columns in a fixed order joined by ``|``; a batch's hash is SHA-256 over the
hash before it, the batch's own header and the texts of its transfers, a line each.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import sha256

#: The instant that stands before the first batch.
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: The hash that stands before the first batch.
GENESIS = sha256(b"comptoir ledger book 1").digest()


def microseconds(instant: datetime) -> int:
    """Microseconds since 1970-01-01 UTC: exact, as PostgreSQL keeps its timestamps."""
    return (instant - EPOCH) // timedelta(microseconds=1)


def canonical(
    id: str,
    owner: str,
    debit: str,
    credit: str,
    amount: int,
    currency: str,
    kind: str,
    phase: str,
    subject: str,
    pending: str | None,
    reverses: str | None,
    effective: int | None,
) -> str:
    """The text of one transfer that goes into its batch's hash.

    Ids as UUIDs are written (RFC 9562), `effective` in `microseconds`: plain values, for whoever makes
    millions of texts.
    """
    when = "" if effective is None else effective
    return (
        f"{id}|{owner}|{debit}|{credit}|{amount}|{currency}|{kind}|{phase}|{subject}"
        f"|{pending or ''}|{reverses or ''}|{when}"
    )


def link(previous: bytes, seq: int, recorded_at: datetime, texts: Iterable[str]) -> bytes:
    """The hash of batch `seq` with these transfers, in order."""
    lines = list(texts)
    head = f"{seq}|{microseconds(recorded_at)}|{len(lines)}\n"
    return sha256(previous + (head + "\n".join(lines)).encode()).digest()
