"""`comptoir verify`: prove the books, and that payments, refunds and wallets agree with them."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from comptoir.flows.api import VerificationReport

HELP = "prove the books: exit code 0 when everything agrees, 1 with the first difference"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")


def run(arguments: argparse.Namespace) -> int:
    """Recompute everything from the transfers alone, in one snapshot; live traffic may go on."""
    from comptoir.cli.database import open_database

    open_database()
    from comptoir.flows.api import verify_books

    report = verify_books()
    if arguments.json:
        print(json.dumps(as_json(report)))
    else:
        show(report)
    return 0 if report.holds else 1


def as_json(report: VerificationReport) -> dict[str, Any]:
    """The report as plain values; amounts in minor units."""
    return {
        "holds": report.holds,
        "first_difference": report.first_difference,
        "differences": [*report.ledger.differences, *report.differences],
        "batches": report.ledger.batches,
        "transfers": report.ledger.transfers,
        "payments": report.payments,
        "refunds": report.refunds,
        "wallets": report.wallets,
        "agreements": report.agreements,
        "totals": {
            one.currency: {
                "debits": one.debits_posted,
                "credits": one.credits_posted,
                "debits_held": one.debits_pending,
                "credits_held": one.credits_pending,
            }
            for one in report.ledger.totals
        },
    }


def show(report: VerificationReport) -> None:
    """The report for people: totals per currency, what was read, and the verdict."""
    from rich.console import Console
    from rich.table import Table

    from comptoir.kernel.money import Money

    table = Table(title="The books")
    table.add_column("Currency")
    for name in ("Debits", "Credits", "Held debits", "Held credits"):
        table.add_column(name, justify="right")
    table.add_column("")
    for one in report.ledger.totals:
        sums = (one.debits_posted, one.credits_posted, one.debits_pending, one.credits_pending)
        shown = [f"{Money(amount, one.currency).decimal():,}" for amount in sums]
        table.add_row(one.currency, *shown, "[green]even[/]" if one.balanced else "[red]uneven[/]")
    console = Console(highlight=False)
    console.print(table)
    console.print(
        f"Read: {report.ledger.batches:,} batches, {report.ledger.transfers:,} transfers, "
        f"{report.payments:,} payments, {report.refunds:,} refunds, {report.wallets:,} wallets, "
        f"{report.agreements:,} agreements."
    )
    if report.holds:
        console.print("[bold green]Everything agrees.[/]")
    else:
        console.print("[bold red]It does not agree.[/] The first difference:", soft_wrap=True)
        console.print(str(report.first_difference), markup=False, soft_wrap=True)
