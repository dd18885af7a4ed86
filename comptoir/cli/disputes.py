"""`comptoir disputes`: the dispute desk: open what was claimed, see what was answered, judge."""

from __future__ import annotations

import argparse
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from comptoir.acquiring.api import DisputeView
    from comptoir.flows.api import Command, Outcome

HELP = "the dispute desk: open, list, show, accept for a merchant, judge, cancel"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parts = parser.add_subparsers(dest="part", metavar="what", required=True)
    _configure_open(_part(parts, "open", "record a claim against a payment, and tell the merchant"))
    listed = _part(parts, "list", "show disputes, the newest first")
    listed.add_argument("--merchant", help="only this merchant's (its public reference)")
    listed.add_argument("--waiting", action="store_true", help="only those that wait for somebody")
    listed.add_argument("--lines", type=int, default=50, help="at most so many (default %(default)s)")
    listed.add_argument("--json", action="store_true", help="JSON instead of a table")
    shown = _named(parts, "show", "show one dispute, and write its documents to files")
    shown.add_argument("--evidence", type=Path, metavar="FILE", help="write the claimant's document here")
    shown.add_argument("--defense", type=Path, metavar="FILE", help="write the merchant's document here")
    _named(parts, "accept", "accept for the merchant: the money goes back")
    judged = _named(parts, "judge", "decide: the money goes back, or stays with the merchant")
    judged.add_argument("--for", choices=("traveller", "merchant"), required=True, help="who is right")
    _named(parts, "cancel", "the claim is given up: the merchant keeps the money")


def run(arguments: argparse.Namespace) -> int:
    """Do one part. What is refused (exit 2) changed nothing."""
    from comptoir.cli.database import open_database

    open_database()
    parts = {
        "open": _open,
        "list": _list,
        "show": _show,
        "accept": _accept,
        "judge": _judge,
        "cancel": _cancel,
    }
    parts[arguments.part](arguments)
    return 0


def _part(
    parts: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    return parts.add_parser(name, help=text, description=text)


def _named(
    parts: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    parser = _part(parts, name, text)
    parser.add_argument("dispute", help="the dispute's id")
    return parser


def _configure_open(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("merchant", help="the merchant's public reference, such as M0000000001")
    parser.add_argument("payment", help="the payment's id")
    parser.add_argument("--amount", required=True, help="in the payment's currency, such as 12.50 EUR")
    parser.add_argument(
        "--kind",
        choices=("chargeback", "retrieval", "compliance"),
        default="chargeback",
        help="about money, or only about papers (default %(default)s)",
    )
    parser.add_argument("--reason-code", required=True, help="as the issuer or scheme names it")
    parser.add_argument("--reason", required=True, help="in words, for the merchant")
    parser.add_argument(
        "--days", type=int, default=14, help="days that the merchant has to answer (default %(default)s)"
    )
    parser.add_argument(
        "--evidence", type=Path, metavar="FILE", help="the claimant's document: PDF, Word, JPEG"
    )
    parser.add_argument("--id", help="the dispute's id; repeating one changes nothing")


def _open(arguments: argparse.Namespace) -> None:
    from comptoir.acquiring import api as acquiring
    from comptoir.cli.show import money_text, say
    from comptoir.flows.api import OpenDispute
    from comptoir.kernel.clock import isoformat, utc_now
    from comptoir.kernel.errors import InvalidValue
    from comptoir.kernel.ids import new_id, parse_id
    from comptoir.kernel.money import Money

    amount, _, currency = arguments.amount.partition(" ")
    kinds = {
        "chargeback": acquiring.DisputeKind.CHARGEBACK,
        "retrieval": acquiring.DisputeKind.RETRIEVAL_REQUEST,
        "compliance": acquiring.DisputeKind.COMPLIANCE_REQUEST,
    }
    if not 1 <= arguments.days <= 120:
        raise InvalidValue("a merchant has 1 to 120 days", field="--days")
    dispute_id = parse_id(arguments.id, "--id") if arguments.id else new_id()
    evidence = None
    if arguments.evidence:
        content = _read(arguments.evidence)
        evidence = acquiring.seal_document(content, acquiring.DocumentRole.EVIDENCE, dispute_id)
    now = utc_now()
    outcome = _do(
        OpenDispute(
            merchant_id=acquiring.merchant_summary(arguments.merchant).id,
            payment_id=parse_id(arguments.payment, "payment"),
            dispute_id=dispute_id,
            kind=kinds[arguments.kind],
            amount=Money.of(amount, currency),
            reason_code=acquiring.rules.check_label(arguments.reason_code, "--reason-code", 64),
            reason=acquiring.rules.check_label(arguments.reason, "--reason", 256),
            due_at=now + timedelta(days=arguments.days),
            evidence=evidence,
        )
    )
    if outcome.dispute is None:
        return
    made = outcome.dispute
    held = "is held of the merchant's" if made.held else "is not held: the merchant is owed too little"
    if made.kind is not acquiring.DisputeKind.CHARGEBACK:
        held = "is what it is about"
    say(f"Dispute {made.id.hex} is open: {money_text(made.amount)} {held}.")
    say(f"The merchant's answer is due by {isoformat(made.due_at)}.")


def _list(arguments: argparse.Namespace) -> None:
    from comptoir.acquiring import api as acquiring
    from comptoir.cli.show import print_json, table
    from comptoir.db.run import read

    merchants = {one.id: one.ref for one in acquiring.merchant_summaries()}
    wanted = acquiring.merchant_summary(arguments.merchant).id if arguments.merchant else None
    asked = acquiring.disputes_listed(max(arguments.lines, 0), wanted, only_waiting=arguments.waiting)
    found = acquiring.decode_disputes(read(asked))
    if arguments.json:
        print_json([_as_json(one, merchants[one.merchant_id]) for one in found])
        return
    table(
        ("Dispute", "Merchant", "Payment", "About", "Amount", "State", "Answer due", "Reason"),
        [_cells(one, merchants[one.merchant_id]) for one in found],
        right=("Amount",),
    )


def _show(arguments: argparse.Namespace) -> None:
    from comptoir.acquiring import api as acquiring
    from comptoir.cli.show import print_json
    from comptoir.db.run import read
    from comptoir.kernel.errors import InvalidValue

    one = _find(arguments.dispute)
    wanted = {
        acquiring.DocumentRole.EVIDENCE: arguments.evidence,
        acquiring.DocumentRole.DEFENSE: arguments.defense,
    }
    for role, path in wanted.items():
        if path is None:
            continue
        document = acquiring.decode_document(read(acquiring.dispute_document(one.merchant_id, one.id, role)))
        if document is None:
            raise InvalidValue(f"the dispute has no {role.value}", field=f"--{role.value}")
        try:
            path.write_bytes(document[1])
        except OSError as error:
            raise InvalidValue(
                f"{path} cannot be written ({error.strerror})", field=f"--{role.value}"
            ) from None
    merchants = {merchant.id: merchant.ref for merchant in acquiring.merchant_summaries()}
    print_json(_as_json(one, merchants[one.merchant_id]))


def _accept(arguments: argparse.Namespace) -> None:
    from comptoir.acquiring import api as acquiring
    from comptoir.flows.api import AcceptDispute

    one = _find(arguments.dispute)
    _say_ended(
        _do(
            AcceptDispute(
                merchant_id=one.merchant_id,
                payment_id=one.payment_id,
                dispute_id=one.id,
                reason=acquiring.AcceptReason.MANUAL,
                call_id="",
            )
        )
    )


def _judge(arguments: argparse.Namespace) -> None:
    from comptoir.flows.api import JudgeDispute

    one = _find(arguments.dispute)
    won = getattr(arguments, "for") == "merchant"
    command = JudgeDispute(merchant_id=one.merchant_id, payment_id=one.payment_id, dispute_id=one.id, won=won)
    _say_ended(_do(command))


def _cancel(arguments: argparse.Namespace) -> None:
    from comptoir.flows.api import WithdrawDispute

    one = _find(arguments.dispute)
    _say_ended(
        _do(WithdrawDispute(merchant_id=one.merchant_id, payment_id=one.payment_id, dispute_id=one.id))
    )


def _find(text: str) -> DisputeView:
    """The dispute of an id. Raises InvalidValue."""
    from comptoir.acquiring import api as acquiring
    from comptoir.db.run import read
    from comptoir.kernel.errors import InvalidValue
    from comptoir.kernel.ids import parse_id

    found = acquiring.decode_disputes(read(acquiring.disputes_named(parse_id(text, "dispute"))))
    if not found:
        raise InvalidValue("there is no such dispute", field="dispute")
    return found[0]


def _do(command: Command) -> Outcome:
    """Give the engine's command. Raises ComptoirError with what it says when it refuses."""
    from comptoir.config.environment import read_environment
    from comptoir.flows.api import OK, Desk, execute
    from comptoir.kernel.clock import utc_now
    from comptoir.kernel.errors import ComptoirError

    [outcome] = execute([command], utc_now(), Desk(read_environment().fx_max_age_days))
    if outcome.code != OK:
        raise ComptoirError(outcome.message or outcome.code, code=outcome.code)
    return outcome


def _say_ended(outcome: Outcome) -> None:
    from comptoir.acquiring.api import DisputeKind, DisputeState
    from comptoir.cli.show import say

    if outcome.dispute is None:
        return
    back = outcome.dispute.state in (DisputeState.ACCEPTED, DisputeState.LOST)
    what = "the traveller has the money back" if back else "the merchant keeps the money"
    if outcome.dispute.kind is not DisputeKind.CHARGEBACK:
        what = "it was not about money"
    say(f"Dispute {outcome.dispute.id.hex} is {outcome.dispute.state.value}: {what}.")


def _read(path: Path) -> bytes:
    from comptoir.kernel.errors import InvalidValue

    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidValue(f"{path} cannot be read ({error.strerror})", field="--evidence") from None


def _cells(one: DisputeView, merchant: str) -> tuple[str, ...]:
    from comptoir.cli.show import money_text
    from comptoir.kernel.clock import isoformat

    return (
        one.id.hex,
        merchant,
        one.payment_id.hex,
        one.kind.value,
        money_text(one.amount),
        one.state.value,
        isoformat(one.due_at),
        f"{one.reason_code}: {one.reason}",
    )


def _as_json(one: DisputeView, merchant: str) -> dict[str, Any]:
    """Plain values; the amount in minor units."""
    from comptoir.kernel.clock import isoformat

    def text(value: Any) -> str | None:
        return None if value is None else isoformat(value)

    return {
        "dispute": one.id.hex,
        "merchant": merchant,
        "payment": one.payment_id.hex,
        "kind": one.kind.value,
        "currency": one.amount.currency,
        "amount": one.amount.minor,
        "reason_code": one.reason_code,
        "reason": one.reason,
        "state": one.state.value,
        "held": one.held,
        "accept_reason": one.accept_reason.value if one.accept_reason else None,
        "opened_at": isoformat(one.created_at),
        "due_at": isoformat(one.due_at),
        "defended_at": text(one.defended_at),
        "ended_at": text(one.ended_at),
    }
