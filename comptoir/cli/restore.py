"""`comptoir restore`: a backup, into a database that is empty."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from comptoir.config.environment import Environment

HELP = "bring a backup back into an empty database, and prove its books"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("file", type=Path, help="what `comptoir backup` wrote")


def run(arguments: argparse.Namespace) -> int:
    """All of it in one transaction or nothing; then what `comptoir verify` does, with its exit codes.

    A database that has anything in it is refused: nothing is ever overwritten. Without DATABASE_URL the
    embedded server of the home folder is made and started for it, and stopped in the end.
    """
    from comptoir.cli.dumps import DumpFailed
    from comptoir.config.environment import read_environment

    if not arguments.file.is_file():
        raise DumpFailed(f"there is no file {arguments.file}", field="file")
    environment = read_environment()
    environment.require_master_key()
    with _embedded_server(environment) if environment.embedded else nullcontext():
        return _restore(arguments.file)


@contextmanager
def _embedded_server(environment: Environment) -> Iterator[None]:
    """The server of a home folder that nobody uses. Raises HomeInUse, PostgresFailed."""
    from comptoir.cli.home import Home
    from comptoir.cli.postgres import EmbeddedPostgres
    from comptoir.config.environment import embedded_data_dir

    home = Home(environment.home)
    home.prepare()
    home.take("restore")
    server = EmbeddedPostgres(embedded_data_dir(home.path), log_file=home.logs / "postgres.log")
    server.ensure()
    try:
        yield
    finally:
        server.stop()


def _restore(file: Path) -> int:
    from comptoir.cli import verify
    from comptoir.cli.database import connect_database
    from comptoir.cli.dumps import DumpFailed, pg
    from comptoir.cli.show import say

    environment = connect_database()
    from django.db import connection

    if found := connection.introspection.table_names():
        raise DumpFailed(f"the database is not empty: it has a table {sorted(found)[0]}")
    connection.close()
    pg(
        "pg_restore", environment.database_url, "--single-transaction", "--exit-on-error", "--no-owner",
        "--no-privileges", str(file),
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # a restored table has no statistics, and plans are made by them
    say("Restored. The proof:")
    try:
        return verify.run(argparse.Namespace(json=False))
    finally:
        connection.close()
