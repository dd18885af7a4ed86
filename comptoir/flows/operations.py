"""Commands outside the engine: for workers, operators and tests, in one synchronous transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction

from comptoir.db.run import run_sync
from comptoir.flows.engine.batch import run_batch
from comptoir.flows.engine.desk import Desk
from comptoir.flows.types import Command, Outcome


def execute(commands: Sequence[Command], now: datetime, desk: Desk) -> list[Outcome]:
    """Do `commands` as one batch and commit it: the same flow as the engine's, without a queue."""
    with transaction.atomic(), connection.cursor() as cursor:
        outcomes = run_sync(cursor, run_batch(commands, now, desk))
    desk.committed()
    return outcomes
