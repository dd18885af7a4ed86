"""The epoch: a number that is raised whenever something changes that engines keep in memory.

An engine that keeps rules in memory has to know at once that there are newer ones, and must not ask for
them in every batch. So the statement that takes the books brings the epoch along (see `ledger.lock`), and
only an engine that finds another number than it remembers loads anew. Whoever changes such a thing takes
the books first and raises the epoch in the same transaction.
"""

from __future__ import annotations

from comptoir.kernel.statements import Statement


def raise_epoch() -> Statement:
    """Have every engine load anew what it keeps in memory, from the next batch on. Returns no rows."""
    return Statement("UPDATE db_epoch SET number = number + 1 WHERE id = 1")
