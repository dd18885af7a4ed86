"""`comptoir rates`: show, load and fetch the reference rates that payments are priced with."""

from __future__ import annotations

import argparse

HELP = "show the reference rates in use; load the packaged history, or fetch today's from the ECB"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("what", nargs="?", choices=("show", "load", "fetch"), default="show")
    parser.add_argument(
        "--accept-jump",
        action="store_true",
        help="fetch: take a rate that moved by more than a quarter, because you looked and it is true",
    )


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked. Rates that cannot be believed are refused (exit 2) and change nothing."""
    import django

    django.setup()

    from comptoir.fx import api as fx
    from comptoir.kernel.clock import utc_now

    now = utc_now()
    if arguments.what == "load":
        print(f"{fx.load_packaged_rates(now)} new rates")
    elif arguments.what == "fetch":
        print(f"{fx.fetch_daily(now, accept_jump=arguments.accept_jump)} new rates")
    table = fx.latest_table()
    if not table.per_euro:
        print("no reference rates are recorded: comptoir rates load")
        return 1
    print(f"ECB reference rates of {table.on}: 1 EUR =")
    for currency, per_euro in sorted(table.per_euro.items()):
        print(f"  {per_euro:>14f} {currency}")
    return 0
