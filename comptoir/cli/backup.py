"""`comptoir backup`: everything that lasts, as it is at one instant, in one file."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

HELP = "write the whole database, as it is at this instant, into one file; traffic goes on"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("file", type=Path, help="where to; must not be there yet")


def run(arguments: argparse.Namespace) -> int:
    """Write the file whole or not at all: it has its name only once it is on disk.

    What was answered before the command began is in it. The master key is not.
    """
    from comptoir.cli.database import open_database
    from comptoir.cli.dumps import DumpFailed, pg
    from comptoir.cli.show import say

    environment = open_database()
    target: Path = arguments.file
    if target.exists():
        raise DumpFailed(f"{target} is there already", field="file")
    part = target.with_name(f".{target.name}.part")
    try:
        # Made by us, so that nobody else can read it: it holds names and balances.
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        pg("pg_dump", environment.database_url, "--format=custom", f"--file={part}")
        _to_disk(part)
        part.rename(target)
        _to_disk(target.absolute().parent)
    except OSError as error:
        raise DumpFailed(f"{target} cannot be written: {error.strerror}", field="file") from None
    finally:
        part.unlink(missing_ok=True)
    say(f"{target} holds the database, {target.stat().st_size:,} bytes. The master key is not in it.")
    return 0


def _to_disk(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
