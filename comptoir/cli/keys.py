"""`comptoir keys`: our own keys, changed without a pause: the platform's key pair, and the master key.

Merchants' keys are `comptoir clients key` and `revoke`; an upstream's are of `comptoir issuers`.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from comptoir.db.resealing import SealedColumn

HELP = "our own keys: show them, add and use a new platform key, seal again under a new master key"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parts = parser.add_subparsers(dest="part", metavar="what", required=True)
    text = "show the platform's keys, and which master key has sealed how much"
    listed = parts.add_parser("list", help=text, description=text)
    listed.add_argument("--json", action="store_true", help="JSON instead of tables")
    text = "make one more platform key; it is not used until you say so"
    parts.add_parser("add", help=text, description=text)
    text = "sign with a platform key from now on, everywhere, within a minute"
    use = parts.add_parser("use", help=text, description=text)
    use.add_argument("version", type=int, help="its keyVersion")
    text = "seal every secret again that an older master key has sealed; may be run again at any time"
    parts.add_parser("reseal", help=text, description=text)


def run(arguments: argparse.Namespace) -> int:
    """Do one part. What is refused (exit 2) changed nothing; `reseal` exits 1 while something is left."""
    from comptoir.cli.database import open_database

    open_database()
    parts = {"list": _list, "add": _add, "use": _use, "reseal": _reseal}
    return parts[arguments.part](arguments)


def _list(arguments: argparse.Namespace) -> int:
    from comptoir.cli.show import print_json, say, table
    from comptoir.db.resealing import versions
    from comptoir.db.sealed import current_version
    from comptoir.identity import api as identity
    from comptoir.standards.antom.signing import fingerprint

    keys = identity.platform_keys()
    sealed = {column.purpose: versions(column) for column in _columns()}
    if arguments.json:
        print_json(
            {
                "platform_keys": [
                    {"version": one.version, "sha256": fingerprint(one.public_key), "in_use": one.active}
                    for one in keys
                ],
                "master_key_version": current_version(),
                "sealed": sealed,
            }
        )
        return 0
    say("The platform's keys: what merchants check our answers and notifications with.")
    table(
        ("keyVersion", "SHA-256", "Made", "State"),
        [
            (
                str(one.version),
                fingerprint(one.public_key),
                f"{one.created_at:%Y-%m-%d}",
                "signs" if one.active else "does not sign",
            )
            for one in keys
        ],
    )
    say(f"\nThe master key that seals has version {current_version()}. What is sealed by which:")
    table(
        ("Secret", "Master key", "How many"),
        [
            (purpose, str(version), f"{count:,}")
            for purpose, counts in sealed.items()
            for version, count in counts.items()
        ],
        right=("Master key", "How many"),
    )
    return 0


def _add(arguments: argparse.Namespace) -> int:
    from comptoir.cli.show import say
    from comptoir.identity import api as identity
    from comptoir.kernel.clock import utc_now
    from comptoir.standards.antom import signing
    from comptoir.standards.antom.signing import fingerprint

    made = identity.add_platform_key(now=utc_now())
    say(f"Platform key {made.version} is made, and not used yet. SHA-256 {fingerprint(made.public_key)}:")
    print(signing.export_public_key(signing.public_key_from_der(made.public_key)))
    say(f"Give it to every merchant. When all know it: comptoir keys use {made.version}")
    return 0


def _use(arguments: argparse.Namespace) -> int:
    from comptoir.cli.show import say
    from comptoir.identity import api as identity

    identity.use_platform_key(arguments.version)
    say(f"Platform key {arguments.version} signs: gateways and workers take it up within a minute.")
    return 0


def _reseal(arguments: argparse.Namespace) -> int:
    from comptoir.cli.show import say
    from comptoir.db.resealing import reseal, versions
    from comptoir.db.sealed import current_version

    left = 0
    for column in _columns():
        done = reseal(column)
        others = sum(count for version, count in versions(column).items() if version != current_version())
        left += others
        say(f"{column.purpose}: {done:,} sealed again, {others:,} left.")
    if left:
        say(
            "Something was sealed under another master key meanwhile: is there a process left without the new"
        )
        say("one in front? Run this again before you take the old one away.")
        return 1
    say(f"Everything is sealed by master key {current_version()}: no other is needed any more.")
    return 0


def _columns() -> tuple[SealedColumn, ...]:
    """Every place that holds sealed secrets."""
    from comptoir.acquiring import api as acquiring
    from comptoir.identity import api as identity
    from comptoir.wallet import api as wallet
    from comptoir.web.signin import adapters as signin

    return (*identity.SEALED, *wallet.SEALED, *acquiring.SEALED, *signin.SEALED)
