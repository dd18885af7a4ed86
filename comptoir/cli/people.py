"""`comptoir people`: those who log in, as the operator keeps them.

A first password is printed once and has to be changed at the first login. What is done to somebody is in the
record of the merchant or office that the person works for, as the operator's doing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from comptoir.kernel.errors import ComptoirError, InvalidValue

if TYPE_CHECKING:
    from comptoir.identity.api import PersonSummary, PersonView, Role

HELP = "those who log in: bring in, list, lost second factors, new passwords, let go and in again"


class NotConfirmed(ComptoirError):
    """Nobody said yes."""

    code = "cli.not_confirmed"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parts = parser.add_subparsers(dest="part", metavar="what", required=True)
    added = _part(parts, "add", "bring somebody in; prints the first password, this once")
    added.add_argument("--name", required=True, help="what colleagues call the person")
    added.add_argument(
        "--role", required=True, help="cashier, manager, owner, accountant, officer or operator"
    )
    added.add_argument("--merchant", help="whom the person works for (its public reference)")
    added.add_argument("--office", metavar="ID", help="of an officer: the office")
    reset = _part(
        parts, "reset-second-factor", "remove app, passkeys and recovery codes, and end every login"
    )
    reset.add_argument("--yes", action="store_true", help="do not ask whether it is meant")
    _part(parts, "new-password", "give another first password, print it this once, and end every login")
    _part(parts, "deactivate", "let somebody log in no more, and end every login")
    _part(parts, "activate", "let somebody log in again")
    listed = parts.add_parser("list", help="show people", description="show people, in the order of logins")
    listed.add_argument("--merchant", help="only those who work there (its public reference)")
    listed.add_argument("--role", help="only those of this role, such as owner or traveller")
    listed.add_argument("--lines", type=int, default=100, help="how many (default %(default)s)")
    listed.add_argument("--after", metavar="LOGIN", default="", help="continue after this login")
    listed.add_argument("--json", action="store_true", help="JSON instead of a table")


def run(arguments: argparse.Namespace) -> int:
    """Do one part. What is refused (exit 2) changed nothing."""
    from comptoir.cli.database import open_database

    open_database()
    parts = {
        "add": _add,
        "reset-second-factor": _reset_second_factor,
        "new-password": _new_password,
        "deactivate": _set_active,
        "activate": _set_active,
        "list": _list,
    }
    parts[arguments.part](arguments)
    return 0


def _part(
    parts: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    parser = parts.add_parser(name, help=text, description=text)
    parser.add_argument("login", help="the person's login, in any case")
    return parser


def _add(arguments: argparse.Namespace) -> None:
    from django.db import transaction

    from comptoir.acquiring import api as acquiring
    from comptoir.cli.show import say
    from comptoir.identity import api as identity
    from comptoir.kernel.clock import utc_now
    from comptoir.kernel.ids import parse_id

    now, role = utc_now(), _role(arguments.role)
    if role is identity.Role.TRAVELLER:
        raise InvalidValue("a traveller comes in with a wallet: comptoir wallets open", field="--role")
    merchant = acquiring.merchant_summary(arguments.merchant) if arguments.merchant else None
    with transaction.atomic():
        made, password = identity.bring_in(
            arguments.login,
            arguments.name,
            role,
            now=now,
            merchant_id=merchant.id if merchant else None,
            office_id=parse_id(arguments.office, "--office") if arguments.office else None,
        )
        identity.record_for_operator(made, "staff.create", now=now, details={"role": role.value})
    where = f" of merchant {merchant.ref}" if merchant else ""
    say(f"{made.login} is {role}{where}. Password for the first login, which is shown only now:")
    print(password)


def _reset_second_factor(arguments: argparse.Namespace) -> None:
    from django.db import transaction

    from comptoir.cli.show import say
    from comptoir.identity import api as identity
    from comptoir.kernel.clock import utc_now
    from comptoir.web.components import second_factor

    one = _person(arguments.login)
    if not arguments.yes:
        _confirm(
            f"Remove app, passkeys and recovery codes of {one.login} ({one.display_name}, {one.role})? "
            "The password alone lets in until a new one is set up."
        )
    now = utc_now()
    with transaction.atomic():
        removed = second_factor.remove_all(one.id)
        if removed:
            identity.end_logins(one.id, now=now)
            identity.record_for_operator(one, "staff.second_factor", now=now)
    if removed:
        say(f"{one.login} has no second factor any more, and is logged out everywhere.")
    else:
        say(f"{one.login} has no second factor: nothing was changed.")


def _new_password(arguments: argparse.Namespace) -> None:
    from django.db import transaction

    from comptoir.cli.show import say
    from comptoir.identity import api as identity
    from comptoir.kernel.clock import utc_now

    one = _person(arguments.login)
    with transaction.atomic():
        password = identity.new_password(one.id)
        identity.record_for_operator(one, "staff.reset", now=utc_now())
    say(f"{one.login} is logged out everywhere. Password for the next login, which is shown only now:")
    print(password)


def _set_active(arguments: argparse.Namespace) -> None:
    from django.db import transaction

    from comptoir.cli.show import say
    from comptoir.identity import api as identity
    from comptoir.kernel.clock import utc_now

    now, active = utc_now(), arguments.part == "activate"
    one = _person(arguments.login)
    with transaction.atomic():
        identity.set_active(one.id, active=active, now=now)
        if active != one.active:
            identity.record_for_operator(one, "staff.in" if active else "staff.out", now=now)
    if active:
        say(f"{one.login} may log in.")
    else:
        say(f"{one.login} is logged out everywhere, and is let in no more.")


def _list(arguments: argparse.Namespace) -> None:
    from comptoir.acquiring import api as acquiring
    from comptoir.cli.show import print_json, table
    from comptoir.identity import api as identity
    from comptoir.web.components import second_factor

    if arguments.lines < 1:
        raise InvalidValue("--lines is at least 1", field="--lines")
    found = identity.person_summaries(
        arguments.lines,
        arguments.after.strip().lower(),
        merchant_id=acquiring.merchant_summary(arguments.merchant).id if arguments.merchant else None,
        role=_role(arguments.role) if arguments.role else None,
    )
    proven = second_factor.who_has_one(one.person.id for one in found)
    refs = _merchant_refs(one.person for one in found)
    if arguments.json:
        print_json([_as_json(one, refs, one.person.id in proven) for one in found])
        return
    table(
        ("Login", "Name", "Role", "Works for", "State", "Second factor", "Last login (UTC)"),
        [
            (
                one.person.login,
                one.person.display_name,
                one.person.role.value,
                _place(one.person, refs),
                "active" if one.person.active else "inactive",
                "yes" if one.person.id in proven else "no",
                f"{one.last_login_at:%Y-%m-%d %H:%M}" if one.last_login_at else "never",
            )
            for one in found
        ],
    )


def _person(login: str) -> PersonView:
    """Raises PersonUnknown."""
    from comptoir.identity import api as identity

    found = identity.person(login)
    if found is None:
        raise identity.PersonUnknown(f"nobody has the login {login}", field="login")
    return found


def _role(text: str) -> Role:
    from comptoir.identity import api as identity

    try:
        return identity.Role(text)
    except ValueError:
        known = ", ".join(identity.Role)
        raise InvalidValue(f"there is no role {text}: {known}", field="--role") from None


def _confirm(question: str) -> None:
    """Ask at the terminal. Raises NotConfirmed: also when nobody is there to answer."""
    if not sys.stdin.isatty():
        raise NotConfirmed("nobody is there to confirm: give --yes")
    if input(f"{question} [y/N] ").strip().lower() not in ("y", "yes"):
        raise NotConfirmed("not confirmed: nothing was changed")


def _merchant_refs(people: Iterable[PersonView]) -> dict[UUID, str]:
    from comptoir.acquiring import api as acquiring
    from comptoir.db.run import read

    ids = {one.merchant_id for one in people if one.merchant_id is not None}
    found = acquiring.decode_merchants(read(acquiring.merchants(sorted(ids)))) if ids else {}
    return {merchant_id: one.ref for merchant_id, one in found.items()}


def _place(one: PersonView, refs: dict[UUID, str]) -> str:
    if one.merchant_id is not None:
        return refs.get(one.merchant_id, one.merchant_id.hex)
    return one.office_id.hex if one.office_id is not None else ""


def _as_json(one: PersonSummary, refs: dict[UUID, str], proven: bool) -> dict[str, Any]:
    from comptoir.kernel.clock import isoformat

    person = one.person
    return {
        "login": person.login,
        "id": person.id.hex,
        "name": person.display_name,
        "role": person.role.value,
        "merchant": refs.get(person.merchant_id) if person.merchant_id else None,
        "office_id": person.office_id.hex if person.office_id else None,
        "active": person.active,
        "second_factor": proven,
        "must_change_password": person.must_change_password,
        "last_login": isoformat(one.last_login_at) if one.last_login_at else None,
    }
