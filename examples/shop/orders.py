"""Orders in SQLite: what was bought, and whether it is paid."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

#: Article to name and price in euro cents.
GOODS = {
    "pralines": ("Pralines, 500 g", 2950),
    "tablet": ("Chocolate tablet, 72 percent", 790),
    "speculoos": ("Speculoos, a tin", 1450),
}

_TABLE = """
CREATE TABLE IF NOT EXISTS orders (
    ref TEXT PRIMARY KEY,          -- stands in addresses: nobody can guess it
    article TEXT NOT NULL,
    cents INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'open',   -- open, paid, failed
    payment_id TEXT,
    pay_page TEXT
)
"""


@dataclass(frozen=True)
class Order:
    """One order. `payment_id` and `pay_page` are known once the payment was begun."""

    ref: str
    article: str
    cents: int
    state: str
    payment_id: str | None
    pay_page: str | None

    @property
    def name(self) -> str:
        """What was bought."""
        return GOODS[self.article][0]


class Orders:
    """All orders, in one file. Safe for many threads: each call has its own connection."""

    def __init__(self, file: Path) -> None:
        self._file = file
        with self._open() as db:
            db.execute(_TABLE)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        db = sqlite3.connect(self._file, timeout=10)
        try:
            with db:
                yield db
        finally:
            db.close()

    def place(self, article: str) -> Order:
        """A new order. Raises KeyError for what is not sold here."""
        cents, ref = GOODS[article][1], secrets.token_urlsafe(16)
        with self._open() as db:
            db.execute("INSERT INTO orders (ref, article, cents) VALUES (?, ?, ?)", (ref, article, cents))
        return Order(ref, article, cents, "open", None, None)

    def find(self, ref: str) -> Order | None:
        """One order, or None."""
        with self._open() as db:
            row = db.execute(
                "SELECT ref, article, cents, state, payment_id, pay_page FROM orders WHERE ref = ?", (ref,)
            ).fetchone()
        return Order(*row) if row else None

    def begun(self, ref: str, payment_id: str, pay_page: str) -> None:
        """The payment was begun: where it is paid."""
        with self._open() as db:
            db.execute(
                "UPDATE orders SET payment_id = ?, pay_page = ? WHERE ref = ?", (payment_id, pay_page, ref)
            )

    def ended(self, ref: str, cents: int, *, paid: bool) -> bool:
        """How it ended: True if this changed the order. An amount that is not the order's pays nothing."""
        state = "paid" if paid else "failed"
        with self._open() as db:
            done = db.execute(
                "UPDATE orders SET state = ? WHERE ref = ? AND cents = ? AND state <> 'paid' AND state <> ?",
                (state, ref, cents, state),
            )
            return done.rowcount == 1
