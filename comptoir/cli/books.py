"""`comptoir books`: what stands in the accounts, now or at any past instant."""

from __future__ import annotations

import argparse
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from comptoir.ledger.api import AccountView, Balance

HELP = "show accounts and their balances, now or at a past instant"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("--owner", type=UUID, help="id of a merchant or wallet: only its accounts")
    parser.add_argument("--role", help="only accounts of this role, such as merchant.payable")
    parser.add_argument(
        "--at", type=datetime.fromisoformat, help="as recorded at this instant (ISO 8601, with its offset)"
    )
    parser.add_argument(
        "--effective",
        action="store_true",
        help="with --at: and what was recorded later with effect by then",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")


def run(arguments: argparse.Namespace) -> int:
    """Show the accounts asked for. An unknown role or an instant without offset is refused (exit 2)."""
    from comptoir.cli.database import open_database
    from comptoir.cli.show import print_json
    from comptoir.kernel.errors import InvalidValue

    if arguments.at is not None and arguments.at.tzinfo is None:
        raise InvalidValue("--at needs its offset, such as 2026-11-23T12:00:00+01:00", field="--at")
    open_database()
    from comptoir.ledger import api as ledger

    roles = {role.value: role for role in ledger.Role}
    if arguments.role is not None and arguments.role not in roles:
        raise InvalidValue(f"a role is one of {', '.join(roles)}", field="--role")
    found = ledger.accounts(arguments.owner, roles.get(arguments.role or ""))
    shown = [(one, _balance(one, arguments)) for one in found]
    if arguments.json:
        print_json([_as_json(one, balance) for one, balance in shown])
    else:
        _show(shown)
    return 0


def _balance(one: AccountView, arguments: argparse.Namespace) -> Balance:
    from comptoir.ledger import api as ledger

    if arguments.at is None:
        return one.balance
    read = ledger.balance_effective if arguments.effective else ledger.balance_at
    return read(one.id, arguments.at)


def _as_json(one: AccountView, balance: Balance) -> dict[str, Any]:
    """Plain values; amounts in minor units."""
    return {
        "account": one.id.hex,
        "owner": one.owner_id.hex,
        "role": one.role.value,
        "currency": balance.currency,
        "posted": balance.posted,
        "available": balance.available,
        "floor": one.floor,
    }


def _show(shown: list[tuple[AccountView, Balance]]) -> None:
    from comptoir.cli.show import money_text, table
    from comptoir.kernel.money import Money

    rows = (
        (
            one.role.value,
            one.owner_id.hex,
            money_text(Money(balance.posted, balance.currency)),
            money_text(Money(balance.available, balance.currency)),
        )
        for one, balance in shown
    )
    table(("Role", "Owner", "Posted", "Available"), rows, right=("Posted", "Available"))
