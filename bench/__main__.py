"""`python -m bench`: measure payments per second on this machine. About three minutes, loopback only."""

from __future__ import annotations

import argparse
import sys
from dataclasses import fields

from rich.console import Console

from bench.report import show
from bench.rounds import Plan, run

#: The widest table, also where there is no terminal to ask.
_WIDTH = 110


def main() -> int:
    """Exit code 0 when everything was measured and proven; whether the targets are reached is for people."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    plan = Plan()
    for one in fields(Plan):
        default = getattr(plan, one.name)
        name = f"--{one.name.replace('_', '-')}"
        parser.add_argument(
            name, type=type(default), default=default, metavar="N", help="default %(default)s"
        )
    arguments = parser.parse_args()
    console, progress = Console(width=_WIDTH), Console(stderr=True, highlight=False)
    figures = run(Plan(**vars(arguments)), lambda text: progress.print(f"[dim]{text} ...[/]"))
    show(figures, console)
    return 0


if __name__ == "__main__":
    sys.exit(main())
