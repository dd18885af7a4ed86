"""`comptoir risk`: the rules that may refuse a payment: try them on the past, put them in force, look."""

from __future__ import annotations

import argparse
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from comptoir.risk.api import EntryView, RehearsalLine, RuleSetSource

HELP = "rules that flag, ask for the PIN or refuse: check, try on the past, put in force, look"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parts = parser.add_subparsers(dest="part", metavar="what", required=True)
    _with_file(parts, "check", "read a rule file and say what is wrong with it")
    dry = _with_file(parts, "dry-run", "show what a rule file would have done with past payments")
    for name, text in (("--from", "the first instant (ISO 8601, with its offset)"), ("--until", "the end")):
        dry.add_argument(name, type=datetime.fromisoformat, required=True, help=text)
    dry.add_argument("--json", action="store_true", help="JSON instead of a table")
    activate = _with_file(parts, "activate", "put a rule file in force, from the next payment on")
    activate.add_argument("--note", default="", help="why, for whoever reads the versions")
    shown = _part(parts, "show", "print the rules in force, or those of a version, as a file")
    shown.add_argument("--version", type=int, help="another version than the one in force")
    _part(parts, "versions", "list every version of the rules")
    log = _part(parts, "log", "show the decision log, newest first")
    log.add_argument("--merchant", help="only this merchant's (its public reference)")
    log.add_argument("--payment", help="only this payment's (its id)")
    log.add_argument("--lines", type=int, default=50, help="at most so many (default %(default)s)")
    log.add_argument("--json", action="store_true", help="JSON instead of a table")


def run(arguments: argparse.Namespace) -> int:
    """Do one part. What is refused (exit 2) changed nothing."""
    from comptoir.cli.database import open_database

    open_database()
    parts = {
        "check": _check,
        "dry-run": _dry_run,
        "activate": _activate,
        "show": _show,
        "versions": _versions,
        "log": _log,
    }
    parts[arguments.part](arguments)
    return 0


def _part(
    parts: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    return parts.add_parser(name, help=text, description=text)


def _with_file(
    parts: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    parser = _part(parts, name, text)
    parser.add_argument("file", type=Path, help="a rule file, TOML or JSON")
    return parser


def _read(path: Path) -> RuleSetSource:
    """The rules of a file. Raises RulesInvalid, also for a file that cannot be read."""
    from comptoir.risk import api as risk

    try:
        text = path.read_bytes()
    except OSError as error:
        raise risk.RulesInvalid(f"{path} cannot be read ({error.strerror})", field="file") from None
    return risk.read(text)


def _check(arguments: argparse.Namespace) -> None:
    from comptoir.cli.show import say

    source = _read(arguments.file)
    say(f"{arguments.file} is in order: {len(source.rules)} rules.")


def _dry_run(arguments: argparse.Namespace) -> None:
    from comptoir.cli.show import print_json, say, table
    from comptoir.flows.api import rehearse
    from comptoir.kernel.errors import InvalidValue

    start, until = getattr(arguments, "from"), arguments.until
    if start.tzinfo is None or until.tzinfo is None or start >= until:
        raise InvalidValue("--from and --until are instants with their offsets, the first before the second")
    found = rehearse(_read(arguments.file), start, until)
    charges = {action.value if action else "pass": number for action, number in found.charges.items()}
    if arguments.json:
        print_json({"charges": charges, "lines": [_line_json(one) for one in found.lines]})
        return
    table(
        ("Rule", "Does", "Merchant", "Charges", "Amount", "Were paid"),
        [_line_cells(one) for one in found.lines],
        right=("Charges", "Amount", "Were paid"),
    )
    told = ", ".join(f"{number:,} {name}" for name, number in sorted(charges.items())) or "none"
    say(f"Charges looked at: {told}.")


def _activate(arguments: argparse.Namespace) -> None:
    from comptoir.cli.show import say
    from comptoir.flows.api import activate_rules
    from comptoir.kernel.clock import utc_now

    source = _read(arguments.file)
    version = activate_rules(source, arguments.note, utc_now())
    say(f"Version {version} is in force: {len(source.rules)} rules.")


def _show(arguments: argparse.Namespace) -> None:
    from comptoir.cli.show import print_json
    from comptoir.risk import api as risk

    print_json(risk.rule_set(arguments.version).source)


def _versions(arguments: argparse.Namespace) -> None:
    from comptoir.cli.show import table
    from comptoir.kernel.clock import isoformat
    from comptoir.risk import api as risk

    table(
        ("Version", "In force from", "Rules", "Note"),
        [
            (str(one.version), isoformat(one.activated_at), str(one.rules), one.note)
            for one in risk.versions()
        ],
        right=("Version", "Rules"),
    )


def _log(arguments: argparse.Namespace) -> None:
    from comptoir.acquiring import api as acquiring
    from comptoir.cli.show import print_json, table
    from comptoir.kernel.ids import parse_id
    from comptoir.risk import api as risk

    merchants = {one.id: one.ref for one in acquiring.merchant_summaries()}
    wanted = acquiring.merchant_summary(arguments.merchant).id if arguments.merchant else None
    payment = parse_id(arguments.payment, "--payment") if arguments.payment else None
    found = risk.entries(max(arguments.lines, 0), wanted, payment)
    if arguments.json:
        print_json([_entry_json(one, merchants[one.merchant_id]) for one in found])
        return
    table(
        ("At", "Merchant", "Till", "Payment", "Amount", "Stage", "Done", "By"),
        [_entry_cells(one, merchants[one.merchant_id]) for one in found],
        right=("Amount",),
    )


def _line_cells(one: RehearsalLine) -> tuple[str, ...]:
    from comptoir.cli.show import money_text
    from comptoir.kernel.money import Money

    amount = money_text(Money(one.amount, one.currency))
    return (one.rule, one.action.value, one.merchant_ref, f"{one.charges:,}", amount, f"{one.paid:,}")


def _line_json(one: RehearsalLine) -> dict[str, Any]:
    """Plain values; the amount in minor units."""
    return {
        "rule": one.rule,
        "action": one.action.value,
        "merchant": one.merchant_ref,
        "currency": one.currency,
        "charges": one.charges,
        "amount": one.amount,
        "paid": one.paid,
    }


def _entry_cells(one: EntryView, merchant: str) -> tuple[str, ...]:
    from comptoir.cli.show import money_text
    from comptoir.kernel.clock import isoformat

    by = "\n".join(
        look.rule if look.measured is None else f"{look.rule} ({look.measured:,})"
        for look in one.looked
        if look.fired
    )
    return (
        isoformat(one.at),
        merchant,
        one.till or "",
        one.payment_id.hex,
        money_text(one.amount),
        one.stage.value,
        one.action.value if one.action else "passed",
        by,
    )


def _entry_json(one: EntryView, merchant: str) -> dict[str, Any]:
    """Plain values; the amount in minor units."""
    from comptoir.kernel.clock import isoformat

    return {
        "at": isoformat(one.at),
        "merchant": merchant,
        "payment": one.payment_id.hex,
        "version": one.version,
        "stage": one.stage.value,
        "action": one.action.value if one.action else None,
        "looked": [
            {"rule": look.rule, "fired": look.fired, "measured": look.measured} for look in one.looked
        ],
        "currency": one.amount.currency,
        "amount": one.amount.minor,
        "issuer": one.issuer,
        "wallet": one.wallet_id.hex if one.wallet_id else None,
        "device": one.device,
        "till": one.till,
    }
