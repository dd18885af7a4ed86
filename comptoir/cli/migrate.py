"""`comptoir migrate`: bring the database up to this version: its tables, and the platform's signing key.

A change of a table waits until nobody uses it, and everybody who comes meanwhile waits behind the change.
So it waits for no longer than payments can, lets them through, and tries again (decision 0031).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

from comptoir.kernel.errors import ComptoirError

HELP = "bring the database up to this version"

#: Any constant will do, as long as every version uses the same.
_MIGRATION_LOCK = 0x636F6D70746F6972

#: An engine waits 5 s for a lock and tries for 8; payments that wait behind a change should not notice.
_WAITS_AT_MOST = "2s"

#: Seconds: pauses between tries grow to the longest; after so many of trying it is given up.
_FIRST_PAUSE, _LONGEST_PAUSE, _GIVES_UP_AFTER = 0.5, 10.0, 300.0


class TablesBusy(ComptoirError):
    """Somebody used a table all the time that was to be changed."""

    code = "cli.tables_busy"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("--quiet", action="store_true", help="say nothing unless something goes wrong")


def run(arguments: argparse.Namespace) -> int:
    """Apply all migrations, and make the platform's key unless there is one (sealed by the master key).

    Two at once wait for each other, so every machine of a cluster may run it. Raises TablesBusy; what was
    applied until then stays, and the next run does the rest.
    """
    import django

    django.setup()
    from django.db import connection

    from comptoir.identity import api as identity
    from comptoir.kernel.clock import utc_now

    with connection.cursor() as cursor:
        _take_turns(cursor)
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [_WAITS_AT_MOST])
    try:
        _migrate(arguments.quiet)
        identity.ensure_platform_key(now=utc_now())
    finally:
        connection.close()  # and with it the lock
    return 0


def _take_turns(cursor: Any) -> None:
    """Wait until no other machine migrates. By asking: who waits inside a statement is waited for by an index
    that is made concurrently, and both would wait for ever."""
    while True:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_MIGRATION_LOCK])
        if cursor.fetchone()[0]:
            return
        time.sleep(_FIRST_PAUSE)


def _migrate(quiet: bool) -> None:
    """Apply migration after migration, each in a transaction of its own, as often as it takes."""
    import psycopg
    from django.core.management import call_command
    from django.db import OperationalError, connection

    ends, pause = time.monotonic() + _GIVES_UP_AFTER, _FIRST_PAUSE
    while True:
        try:
            with connection.execute_wrapper(_patient_where_nobody_waits):
                call_command("migrate", verbosity=0 if quiet else 1, interactive=False)
        except OperationalError as error:
            # A deadlock is the same meeting: the change took one table, a payment another.
            if not isinstance(
                error.__cause__, psycopg.errors.LockNotAvailable | psycopg.errors.DeadlockDetected
            ):
                raise
            if time.monotonic() + pause >= ends:
                raise TablesBusy(
                    "a table was in use all the time that is to be changed: end the long transaction"
                    " (pg_stat_activity names it) and run this again; what was applied stays"
                ) from None
        else:
            return
        if not quiet:
            print(f"  a table is in use; trying again in {pause:.1f} s", flush=True)
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


def _patient_where_nobody_waits(
    execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    """An index that is made concurrently holds up no payment, and would be left half made: it may wait."""
    if "CONCURRENTLY" not in sql:
        return execute(sql, params, many, context)
    with context["connection"].cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', '0', false)")
        try:
            return execute(sql, params, many, context)
        finally:
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", [_WAITS_AT_MOST])
