"""`comptoir clients`: the machines that may speak for a merchant, and their keys.

Two key pairs are at work, and mixing them up is the commonest failure of an integration: the merchant
signs with its own private key and gives us the public half; we sign with ours, and the merchant checks
with the *platform's* public key, which `show` prints. Fingerprints are the SHA-256 of the key's DER.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comptoir.kernel.errors import ComptoirError

if TYPE_CHECKING:
    from comptoir.identity.api import ApiKeySummary, ClientKeySummary, ClientView

HELP = "the machines that may speak for a merchant: register, add and revoke keys, show fingerprints"

_REVOKED = "stop trusting an API key, within seconds and for good"

#: A key of 4096 bits in PEM is under 1 kB.
_LARGEST_FILE = 16_384


class KeyFileUnusable(ComptoirError):
    """The file does not hold the merchant's public key."""

    code = "cli.key_file_unusable"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parts = parser.add_subparsers(dest="part", metavar="what", required=True)
    add = _part(parts, "add", "register a client of a merchant with its public key")
    add.add_argument("--merchant", required=True, help="the merchant's public reference")
    _configure_key(add, required=False)
    add.add_argument(
        "--acquirer",
        action="store_true",
        help="it is an acquirer's: it pays for merchants of its own, over /aps/api/v1",
    )
    add.add_argument("--notify-url", metavar="URL", help="where to notify when a request does not say")
    _configure_key(_part(parts, "key", "add one more live key; the older ones stay live"))
    revoke = _part(parts, "revoke", "stop trusting a key, within seconds and for good")
    revoke.add_argument("version", type=int, help="the keyVersion")
    secret = _part(parts, "api-key", "make an API key, for a client that signs nothing: it is shown once")
    secret.add_argument(
        "--only", nargs="+", metavar="OPERATION", help="make a restricted key, for these: payments/pay"
    )
    secret = parts.add_parser("revoke-api-key", help=_REVOKED, description=_REVOKED)
    secret.add_argument("id", help="the part of the key between PROD_ or TEST_ and the next underscore")
    _part(parts, "suspend", "answer the client, and refuse it")
    _part(parts, "activate", "let a suspended client in again")
    show = _part(parts, "show", "show a client, our public key, and the fingerprints of both sides' keys")
    listed = parts.add_parser("list", help="show all clients", description="show all clients")
    listed.add_argument("--merchant", help="only those of this merchant (its public reference)")
    for one in (show, listed):
        one.add_argument("--json", action="store_true", help="JSON instead of text")


def run(arguments: argparse.Namespace) -> int:
    """Do one part. What is refused (exit 2) changed nothing."""
    from comptoir.cli.database import open_database

    open_database()
    parts = {
        "add": _add,
        "key": _key,
        "revoke": _revoke,
        "api-key": _api_key,
        "revoke-api-key": _revoke_api_key,
        "suspend": _set_status,
        "activate": _set_status,
        "show": _show,
        "list": _list,
    }
    parts[arguments.part](arguments)
    return 0


def _part(
    parts: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    parser = parts.add_parser(name, help=text, description=text)
    parser.add_argument("client", help="the client id, as it travels; SANDBOX_… is a test client")
    return parser


def _configure_key(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    parser.add_argument(
        "--public-key-file",
        required=required,
        type=Path,
        metavar="FILE",
        help="the merchant's own public key: PEM, or base64 without armor",
    )


def read_public_key(path: Path, field: str) -> str:
    """The text of a public key file, given as `field`. Raises KeyFileUnusable, BadKey; a private key is
    named, never shown."""
    from comptoir.standards.antom import signing

    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST_FILE).decode("ascii")
    except OSError as error:
        raise KeyFileUnusable(f"{path} cannot be read: {error.strerror}", field=field) from None
    except UnicodeDecodeError:
        raise KeyFileUnusable(f"{path} is not text: PEM or base64 is wanted", field=field) from None
    if not signing.is_private_key(text):
        signing.load_public_key(text)
        return text
    raise KeyFileUnusable(
        f"{path} is a private key: it stays with its owner. Make the public one of it: "
        "openssl pkey -in FILE -pubout",
        field=field,
    )


def _add(arguments: argparse.Namespace) -> None:
    from comptoir.acquiring import api as acquiring
    from comptoir.cli.show import say
    from comptoir.flows.clients import open_client
    from comptoir.kernel.clock import utc_now
    from comptoir.standards.antom.signing import fingerprint

    merchant = acquiring.merchant_summary(arguments.merchant)
    file = arguments.public_key_file
    key = read_public_key(file, "--public-key-file") if file else None
    made = open_client(
        arguments.client,
        merchant.id,
        key,
        now=utc_now(),
        notify_url=arguments.notify_url,
        acquirer=arguments.acquirer,
    )
    kind = ("test client" if made.sandbox else "client") + (" (acquirer)" if made.acquirer else "")
    if not made.keys:
        say(f"{made.client_ref} is a {kind} of merchant {merchant.ref}, and has no key yet.")
        say(f"Now make it an API key: comptoir clients api-key {made.client_ref}")
        return
    say(f"{made.client_ref} is a {kind} of merchant {merchant.ref}; its key is version 1.")
    say(f"SHA-256 of its key: {fingerprint(made.keys[0].public_key)}")
    say(f"Now give it our public key: comptoir clients show {made.client_ref}")


def _key(arguments: argparse.Namespace) -> None:
    from comptoir.cli.show import say
    from comptoir.identity import api as identity
    from comptoir.kernel.clock import utc_now
    from comptoir.standards.antom.signing import fingerprint

    version = identity.add_key(
        arguments.client, read_public_key(arguments.public_key_file, "--public-key-file"), now=utc_now()
    )
    (added,) = (one for one in identity.client_keys(arguments.client) if one.version == version)
    say(f"{arguments.client} has a further key, version {version}; the older ones stay live.")
    say(f"SHA-256 of it: {fingerprint(added.public_key)}")


def _revoke(arguments: argparse.Namespace) -> None:
    from comptoir.cli.show import say
    from comptoir.identity import api as identity
    from comptoir.kernel.clock import utc_now

    identity.revoke_key(arguments.client, arguments.version, now=utc_now())
    say(f"Key {arguments.version} of {arguments.client} is revoked: the gateways forget it within seconds.")
    if not _client(arguments.client).keys:
        say("It has no live key left: everything it sends is answered KEY_NOT_FOUND.")


def _api_key(arguments: argparse.Namespace) -> None:
    from comptoir.cli.show import say
    from comptoir.identity import api as identity
    from comptoir.kernel.clock import utc_now

    made = identity.create_api_key(arguments.client, arguments.only, now=utc_now())
    say(f"An API key of {arguments.client}. It stands for the client, over TLS only, and is shown this once:")
    print(made)


def _revoke_api_key(arguments: argparse.Namespace) -> None:
    from comptoir.cli.show import say
    from comptoir.identity import api as identity
    from comptoir.kernel.clock import utc_now
    from comptoir.kernel.ids import parse_id

    identity.revoke_api_key(parse_id(arguments.id, "id"), now=utc_now())
    say(f"API key {arguments.id} is revoked: the gateways forget it within seconds.")


def _set_status(arguments: argparse.Namespace) -> None:
    from comptoir.cli.show import say
    from comptoir.identity import api as identity

    suspend = arguments.part == "suspend"
    identity.set_client_status(
        arguments.client, identity.ClientStatus.SUSPENDED if suspend else identity.ClientStatus.ACTIVE
    )
    done = "suspended: the gateways refuse it within seconds" if suspend else "active"
    say(f"{arguments.client} is {done}.")


def _show(arguments: argparse.Namespace) -> None:
    from comptoir.cli.show import print_json, say, table
    from comptoir.identity import api as identity
    from comptoir.standards.antom import signing

    client = _client(arguments.client)
    keys = identity.client_keys(client.client_ref)
    platform = identity.platform_key()
    public_key = signing.export_public_key(signing.public_key_from_der(platform.public_key))
    secrets = identity.api_keys(client.client_ref)
    if arguments.json:
        described = _as_json(client, _merchant_refs().get(client.merchant_id, client.merchant_id.hex))
        described["keys"] = [_key_as_json(one) for one in keys]
        described["api_keys"] = [_api_key_as_json(one) for one in secrets]
        described["platform_public_key"] = public_key
        described["platform_key_version"] = platform.version
        described["platform_key_sha256"] = signing.fingerprint(platform.public_key)
        print_json(described)
        return
    kind = ", an acquirer" if client.acquirer else ""
    say(
        f"{client.client_ref}{kind}, {client.status}, for merchant {_merchant_refs().get(client.merchant_id)}"
    )
    say(f"Notifications: {client.notify_url or 'only where a request says so'}")
    say("\nThe merchant's own public keys (it keeps the private half):")
    table(
        ("keyVersion", "SHA-256", "State"),
        [(str(one.version), signing.fingerprint(one.public_key), _state_of(one)) for one in keys],
    )
    if secrets:
        say("\nIts API keys (the secret half is nobody's to see again):")
        table(
            ("Id", "Kind", "For", "State"),
            [
                (one.id.hex, one.kind.value, ", ".join(one.operations or ["everything"]), _state_of(one))
                for one in secrets
            ],
        )
    say(f"\nOur public key (keyVersion {platform.version}), to check our answers with. SHA-256")
    say(f"{signing.fingerprint(platform.public_key)}:")
    print(public_key)


def _list(arguments: argparse.Namespace) -> None:
    from comptoir.acquiring import api as acquiring
    from comptoir.cli.show import print_json, table
    from comptoir.identity import api as identity

    wanted = acquiring.merchant_summary(arguments.merchant).id if arguments.merchant else None
    clients, refs = identity.clients(wanted), _merchant_refs()
    if arguments.json:
        print_json([_as_json(one, refs.get(one.merchant_id, one.merchant_id.hex)) for one in clients])
        return
    table(
        ("Client", "Merchant", "State", "Live keys", "Notifications"),
        [
            (
                one.client_ref,
                refs.get(one.merchant_id, one.merchant_id.hex),
                one.status.value,
                ", ".join(str(key.version) for key in one.keys) or "none",
                one.notify_url or "",
            )
            for one in clients
        ],
    )


def _client(client_ref: str) -> ClientView:
    from comptoir.identity import api as identity

    found = identity.client(client_ref)
    if found is None:
        raise identity.ClientUnknown(f"there is no client {client_ref}", field="client")
    return found


def _merchant_refs() -> dict[Any, str]:
    from comptoir.acquiring import api as acquiring

    return {one.id: one.ref for one in acquiring.merchant_summaries()}


def _state_of(key: ClientKeySummary | ApiKeySummary) -> str:
    return f"revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else f"live since {key.created_at:%Y-%m-%d}"


def _as_json(one: ClientView, merchant: str) -> dict[str, Any]:
    return {
        "client_id": one.client_ref,
        "merchant": merchant,
        "sandbox": one.sandbox,
        "acquirer": one.acquirer,
        "status": one.status.value,
        "notify_url": one.notify_url,
        "live_keys": [key.version for key in one.keys],
    }


def _key_as_json(one: ClientKeySummary) -> dict[str, Any]:
    from comptoir.standards.antom.signing import fingerprint

    return {"version": one.version, "sha256": fingerprint(one.public_key), "live": one.revoked_at is None}


def _api_key_as_json(one: ApiKeySummary) -> dict[str, Any]:
    return {
        "id": one.id.hex,
        "kind": one.kind.value,
        "operations": one.operations,
        "live": one.revoked_at is None,
    }
