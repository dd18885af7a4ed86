"""`comptoir migrate`: bring the database up to this version: its tables, and the platform's signing key."""

from __future__ import annotations

import argparse

HELP = "bring the database up to this version"

#: Any constant will do, as long as every version uses the same.
_MIGRATION_LOCK = 0x636F6D70746F6972


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("--quiet", action="store_true", help="say nothing unless something goes wrong")


def run(arguments: argparse.Namespace) -> int:
    """Apply all migrations, and make the platform's key unless there is one (sealed by the master key).

    Two at once wait for each other, so every machine of a cluster may run it.
    """
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from comptoir.identity import api as identity
    from comptoir.kernel.clock import utc_now

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_MIGRATION_LOCK])
    try:
        call_command("migrate", verbosity=0 if arguments.quiet else 1, interactive=False)
        identity.ensure_platform_key(now=utc_now())
    finally:
        connection.close()  # and with it the lock
    return 0
