"""`comptoir issuers`: other wallets, asked through an Antom-compatible endpoint of whoever holds them.

Each end has its key pair: `add` makes ours and prints the public half, for the other side to register;
`--platform-key-file` is theirs, which their answers are checked with.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from comptoir.acquiring.api import ConflictView
    from comptoir.wallet.api import UpstreamView

HELP = "other wallets behind an Antom-compatible endpoint: add, route and test them; their contradictions"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parts = parser.add_subparsers(dest="part", metavar="what", required=True)
    add = _part(parts, "add", "add an upstream, with a fresh key pair of ours")
    add.add_argument("--url", required=True, help="where it answers: https://host[:port]")
    add.add_argument("--client-id", required=True, help="who we are there")
    add.add_argument(
        "--family",
        choices=("aps", "ams"),
        default="aps",
        help="whether it takes us for an acquirer (/aps/api, the default) or for a merchant (/ams/api)",
    )
    add.add_argument(
        "--platform-key-file",
        required=True,
        type=Path,
        metavar="FILE",
        help="its public key: PEM, or base64 without armor",
    )
    add.add_argument("--key-version", type=int, default=1, help="the number of our key there (default 1)")
    add.add_argument(
        "--settle", metavar="CURRENCY", help="of our contracts with it, the one in this currency"
    )
    _configure_prefixes(add)
    routes = _part(parts, "routes", "let its codes be those with these prefixes; none: it gets no new ones")
    _configure_prefixes(routes)
    _part(parts, "test", "ask it about a payment that nobody made, and judge the answer")
    queue = parts.add_parser(
        "conflicts", help=(text := "payments about which an issuer contradicted itself"), description=text
    )
    queue.add_argument("--all", action="store_true", help="the closed ones too")
    closing = parts.add_parser(
        "close", help=(text := "close a conflict that people have seen to"), description=text
    )
    closing.add_argument("conflict", type=UUID, help="its id")
    closing.add_argument("--note", required=True, help="what was found out, and done")
    closing.add_argument(
        "--reverse",
        action="store_true",
        help="have the issuer give back a payment that succeeded there and failed here",
    )
    listed = parts.add_parser("list", help="show all upstreams", description="show all upstreams")
    show = _part(parts, "show", "show one, our public key for it, and the fingerprints of both sides' keys")
    for one in (listed, show, queue):
        one.add_argument("--json", action="store_true", help="JSON instead of text")


def run(arguments: argparse.Namespace) -> int:
    """Do one part. What is refused (exit 2) changed nothing; a test that fails exits 1."""
    from comptoir.cli.database import open_database

    open_database()
    if arguments.part == "test":
        return _test(arguments)
    parts = {
        "add": _add,
        "routes": _routes,
        "list": _list,
        "show": _show,
        "conflicts": _conflicts,
        "close": _close,
    }
    parts[arguments.part](arguments)
    return 0


def _part(
    parts: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    parser = parts.add_parser(name, help=text, description=text)
    parser.add_argument("name", help="its name here: capitals, digits, underscores")
    return parser


def _configure_prefixes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--prefix",
        action="append",
        default=[],
        metavar="DIGITS",
        help="codes that begin so are its (2 to 16 digits; repeat it)",
    )


def _add(arguments: argparse.Namespace) -> None:
    from comptoir.cli.clients import read_public_key
    from comptoir.cli.show import say
    from comptoir.kernel.clock import utc_now
    from comptoir.wallet import api as wallet

    made = wallet.add_upstream(
        arguments.name,
        family=wallet.UpstreamFamily(arguments.family),
        url=arguments.url,
        client_ref=arguments.client_id,
        their_public_key=read_public_key(arguments.platform_key_file, "--platform-key-file"),
        now=utc_now(),
        key_version=arguments.key_version,
        prefixes=arguments.prefix,
        settlement_currency=arguments.settle,
    )
    say(f"{made.name} is added. Register this key there, as version {made.key_version} of {made.client_ref}:")
    print(_exported(made.public_key))
    say(f"Then: comptoir issuers test {made.name}, and restart gateways and workers.")


def _routes(arguments: argparse.Namespace) -> None:
    from comptoir.cli.show import say
    from comptoir.wallet import api as wallet

    made = wallet.route_upstream(arguments.name, arguments.prefix)
    codes = f"codes that begin with {', '.join(made.prefixes)}" if made.prefixes else "no new codes"
    say(f"{made.name} gets {codes}, once gateways and workers are restarted.")


def _test(arguments: argparse.Namespace) -> int:
    import asyncio

    from comptoir.cli.show import say
    from comptoir.wallet import api as wallet

    account = wallet.upstream_account(arguments.name)
    result = asyncio.run(wallet.probe_upstream(account))
    if result is None:
        say(f"{account.name}: no answer from {account.url} that could be believed: the line above says why.")
        return 1
    if result.result_code != "ORDER_NOT_EXIST":
        say(f"{account.name} answers, signed, but not what it should: {result.result_code}")
        say(result.result_message)
        return 1
    say(f"{account.name} answers, knows us, and signs with the key that we have of it.")
    return 0


def _list(arguments: argparse.Namespace) -> None:
    from comptoir.cli.show import print_json, table
    from comptoir.wallet import api as wallet

    found = wallet.upstreams()
    if arguments.json:
        print_json([_as_json(one) for one in found])
        return
    table(
        ("Issuer", "Family", "Address", "We are", "Codes begin with"),
        [
            (one.name, one.family.value, one.url, one.client_ref, ", ".join(one.prefixes) or "none")
            for one in found
        ],
    )


def _show(arguments: argparse.Namespace) -> None:
    from comptoir.cli.show import print_json, say
    from comptoir.standards.antom.signing import fingerprint
    from comptoir.wallet import api as wallet

    one = wallet.upstream(arguments.name)
    if arguments.json:
        print_json(_as_json(one) | {"public_key": _exported(one.public_key)})
        return
    say(f"{one.name} at {one.url} ({one.family}), where we are {one.client_ref}")
    say(f"Codes that begin with: {', '.join(one.prefixes) or 'none'}")
    say(f"SHA-256 of its key: {fingerprint(one.their_public_key)}")
    say(f"SHA-256 of ours:    {fingerprint(one.public_key)}")
    say(f"Our public key (keyVersion {one.key_version}), for it to register:")
    print(_exported(one.public_key))


def _conflicts(arguments: argparse.Namespace) -> None:
    from comptoir.acquiring import api as acquiring
    from comptoir.cli.show import print_json, table

    found = acquiring.conflicts(closed=arguments.all)
    if arguments.json:
        print_json([_conflict_as_json(one) for one in found])
        return
    table(
        (
            "Conflict",
            "Issuer",
            "Payment",
            "Since (UTC)",
            "We recorded",
            "Then it said",
            "Asked again",
            "Note",
        ),
        [
            (
                one.id.hex,
                one.issuer,
                one.payment_id.hex,
                f"{one.opened_at:%Y-%m-%d %H:%M:%S}",
                one.recorded,
                one.claimed,
                one.verdict or "not yet",
                one.note,
            )
            for one in found
        ],
    )


def _close(arguments: argparse.Namespace) -> None:
    from comptoir.cli.show import say
    from comptoir.flows import api as flows
    from comptoir.kernel.clock import utc_now

    closed = flows.close_conflict(arguments.conflict, arguments.note, utc_now(), reverse=arguments.reverse)
    say(f"The conflict about payment {closed.payment_id.hex} is closed.")
    if arguments.reverse:
        say(f"The worker has {closed.issuer} give the money back, until it says so.")


def _conflict_as_json(one: ConflictView) -> dict[str, Any]:
    return {
        "conflict": one.id.hex,
        "issuer": one.issuer,
        "merchant_id": one.merchant_id.hex,
        "payment_id": one.payment_id.hex,
        "opened_at": one.opened_at.isoformat(),
        "recorded": one.recorded,
        "claimed": one.claimed,
        "verdict": one.verdict,
        "closed_at": one.closed_at.isoformat() if one.closed_at else None,
        "note": one.note,
    }


def _exported(der: bytes) -> str:
    from comptoir.standards.antom import signing

    return signing.export_public_key(signing.public_key_from_der(der))


def _as_json(one: UpstreamView) -> dict[str, Any]:
    from comptoir.standards.antom.signing import fingerprint

    return {
        "name": one.name,
        "family": one.family.value,
        "url": one.url,
        "client_id": one.client_ref,
        "key_version": one.key_version,
        "prefixes": list(one.prefixes),
        "settlement_currency": one.settlement_currency,
        "public_key_sha256": fingerprint(one.public_key),
        "their_public_key_sha256": fingerprint(one.their_public_key),
    }
