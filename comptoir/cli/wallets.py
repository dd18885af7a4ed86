"""`comptoir wallets`: travellers' wallets as the operator keeps them.

A wallet is named by its holder's login or by its own id. A PIN is asked for, or read from a file: it never
stands on a command line, where every user of the machine could read it. Seeds are shown on demand, once.
"""

from __future__ import annotations

import argparse
import secrets
import sys
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from comptoir.kernel.errors import ComptoirError, InvalidValue

if TYPE_CHECKING:
    from comptoir.wallet.api import Limits, WalletSummary

HELP = "travellers' wallets: open, phones, top up, freeze, limits, PIN, agreements, statement, list"

_LIMITS = (
    ("--no-pin", "without the PIN"),
    ("--at-once", "in one payment"),
    ("--a-day", "on a day in China"),
)


class PinMissing(ComptoirError):
    """There is no PIN, and nobody to ask for it; or the two that were typed differ."""

    code = "cli.pin_missing"


class WalletUnclear(ComptoirError):
    """The login has no wallet, or several: name one by its id."""

    code = "cli.wallet_unclear"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parts = parser.add_subparsers(dest="part", metavar="what", required=True)
    _configure_open(parts)
    enroll = _part(parts, "enroll", "enroll a phone that shows payment codes")
    enroll.add_argument("--device", required=True, type=_text(64), help="what to call it")
    enroll.add_argument("--show-seed", action="store_true", help="print the seed, this once, in hex")
    enroll.add_argument("--json", action="store_true", help="JSON instead of text")
    _part(parts, "devices", "show the phones that may show codes")
    revoke = _part(parts, "revoke", "take no code of a phone any more, for good")
    revoke.add_argument("device", type=int, help="its number, as `devices` shows it")
    top_up = _part(parts, "top-up", "post money from the operator's funding to a wallet")
    top_up.add_argument("amount", help="in the wallet's currency, such as 500.00")
    top_up.add_argument("--note", type=_text(256), default="", help="what the statement says")
    top_up.add_argument("--id", help="id of the top-up: repeating one changes nothing (default: a new one)")
    _part(parts, "freeze", "let nothing out; money may still come in")
    _part(parts, "unfreeze", "let a frozen wallet pay again")
    limits = _part(parts, "limits", "show the limits, or set those that are given")
    _configure_limits(limits)
    agreements = _part(parts, "agreements", "show who may debit the wallet without asking each time")
    ending = _part(parts, "end-agreement", "let a shop debit the wallet no more, as its holder wishes")
    ending.add_argument("agreement", help="its id, as `agreements` shows it")
    pin = _part(parts, "pin", "give the wallet another PIN, and lift the lock that wrong ones have set")
    _configure_pin(pin)
    statement = _part(parts, "statement", "show the wallet's movements, newest first")
    statement.add_argument("--lines", type=int, default=20, help="how many (default %(default)s)")
    listed = parts.add_parser("list", help="show wallets", description="show wallets, in the order of ids")
    listed.add_argument("--lines", type=int, default=100, help="how many (default %(default)s)")
    listed.add_argument("--after", metavar="ID", help="continue after this wallet")
    for one in (agreements, statement, listed):
        one.add_argument("--json", action="store_true", help="JSON instead of a table")


def run(arguments: argparse.Namespace) -> int:
    """Do one part. What is refused (exit 2) changed nothing."""
    from comptoir.cli.database import open_database

    open_database()
    parts = {
        "open": _open,
        "enroll": _enroll,
        "devices": _devices,
        "revoke": _revoke,
        "top-up": _top_up,
        "freeze": _freeze,
        "unfreeze": _freeze,
        "limits": _limits,
        "agreements": _agreements,
        "end-agreement": _end_agreement,
        "pin": _set_pin,
        "statement": _statement,
        "list": _list,
    }
    parts[arguments.part](arguments)
    return 0


def _part(
    parts: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    parser = parts.add_parser(name, help=text, description=text)
    parser.add_argument("wallet", help="the holder's login, or the wallet's id")
    return parser


def _configure_open(parts: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "open a wallet; a login that nobody has becomes a traveller"
    parser = parts.add_parser("open", help=text, description=text)
    parser.add_argument("login", help="the holder's login, such as a phone number")
    parser.add_argument("--name", required=True, help="the holder's name")
    _configure_pin(parser)
    parser.add_argument("--currency", default="CNY", help="home currency (default %(default)s)")
    _configure_limits(parser)


def _configure_pin(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pin-file", type=Path, metavar="FILE", help="the payment PIN (default: asked for)")


def _configure_limits(parser: argparse.ArgumentParser) -> None:
    for name, what in _LIMITS:
        parser.add_argument(name, metavar="AMOUNT", help=f"most that may be paid {what}")


def _text(longest: int) -> Any:
    def text(given: str) -> str:
        if len(given) > longest or not given.isprintable():
            raise argparse.ArgumentTypeError(f"at most {longest} printable characters")
        return given

    return text


def _open(arguments: argparse.Namespace) -> None:
    from django.db import transaction

    from comptoir.cli.show import say
    from comptoir.identity import api as identity
    from comptoir.kernel.clock import utc_now
    from comptoir.kernel.ids import derived_id
    from comptoir.wallet import api as wallet

    now = utc_now()
    limits = _limits_of(arguments, wallet.CNY_LIMITS if arguments.currency == "CNY" else None)
    pin = _pin(arguments.pin_file)
    with transaction.atomic():
        person = identity.person(arguments.login)
        if person is None:
            # Nobody knows this password: the traveller cannot log in until one is set.
            unknown = secrets.token_urlsafe(32)
            person = identity.create_person(
                arguments.login, arguments.name, identity.Role.TRAVELLER, unknown, now=now
            )
        if person.role is not identity.Role.TRAVELLER:
            raise identity.PersonInvalid(f"{person.login} is a {person.role}, not a traveller", field="login")
        for one in wallet.wallets_of(person.id):
            if wallet.wallet_summary(one, now).wallet.currency == arguments.currency:
                raise wallet.WalletExists(
                    f"{person.login} has a wallet in {arguments.currency} already, {one.hex}", field="login"
                )
        own = derived_id("wallet", person.id.hex, arguments.currency)
        wallet.open_wallet(
            own,
            person.id,
            person.display_name,
            pin=pin,
            now=now,
            currency=arguments.currency,
            limits=limits,
        )
    say(f"{person.login} has a wallet in {arguments.currency}, id {own.hex}. It is empty.")


def _enroll(arguments: argparse.Namespace) -> None:
    from comptoir.cli.show import print_json, say
    from comptoir.kernel.clock import utc_now
    from comptoir.wallet import api as wallet

    own = _wallet_id(arguments.wallet)
    enrolled = wallet.enroll_device(own, arguments.device, utc_now())
    seed = enrolled.seed.hex() if arguments.show_seed else None
    if arguments.json:
        shown = {"wallet": own.hex, "device": enrolled.number}
        print_json({**shown, "seed": seed} if seed else shown)
        return
    say(f"Device {enrolled.number} ({arguments.device}) shows codes of wallet {own.hex}.")
    if seed:
        say("Its seed, which is shown only now and is as good as money:")
        print(seed)


def _devices(arguments: argparse.Namespace) -> None:
    from comptoir.cli.show import table
    from comptoir.wallet import api as wallet

    table(
        ("Device", "Name", "State", "Enrolled"),
        [
            (str(one.number), one.name, "active" if one.active else "revoked", f"{one.created_at:%Y-%m-%d}")
            for one in wallet.devices_of(_wallet_id(arguments.wallet))
        ],
    )


def _revoke(arguments: argparse.Namespace) -> None:
    from comptoir.cli.show import say
    from comptoir.wallet import api as wallet

    own = _wallet_id(arguments.wallet)
    wallet.revoke_device(own, arguments.device)
    say(f"Device {arguments.device} of wallet {own.hex} is revoked: no code of it is taken from now on.")


def _top_up(arguments: argparse.Namespace) -> None:
    from comptoir.cli.show import money_text, say
    from comptoir.kernel.clock import utc_now
    from comptoir.kernel.ids import new_id, parse_id
    from comptoir.kernel.money import Money
    from comptoir.wallet import api as wallet

    now = utc_now()
    own = _wallet_id(arguments.wallet)
    amount = Money.of(arguments.amount, wallet.wallet_summary(own, now).wallet.currency)
    credit_id = parse_id(arguments.id, "--id") if arguments.id else new_id()
    wallet.top_up(credit_id, own, amount, now, arguments.note)
    available = money_text(wallet.wallet_summary(own, now).available)
    say(f"{money_text(amount)} are in the wallet, top-up {credit_id.hex}. It holds {available} now.")


def _freeze(arguments: argparse.Namespace) -> None:
    from comptoir.cli.show import say
    from comptoir.wallet import api as wallet

    own = _wallet_id(arguments.wallet)
    if arguments.part == "freeze":
        wallet.freeze(own)
        say(f"Wallet {own.hex} is frozen: nothing leaves it from now on.")
    else:
        wallet.unfreeze(own)
        say(f"Wallet {own.hex} may pay again.")


def _limits(arguments: argparse.Namespace) -> None:
    from comptoir.cli.show import say
    from comptoir.kernel.clock import utc_now
    from comptoir.wallet import api as wallet

    now = utc_now()
    own = _wallet_id(arguments.wallet)
    view = wallet.wallet_summary(own, now).wallet
    arguments.currency = view.currency
    stands = wallet.Limits(no_pin=view.no_pin_limit, payment=view.payment_limit, day=view.day_limit)
    wanted = _limits_of(arguments, stands)
    if wanted is not None and wanted != stands:
        wallet.set_limits(own, wanted)
    say(_limits_text(wallet.wallet_summary(own, now)))


def _agreements(arguments: argparse.Namespace) -> None:
    from comptoir.cli.show import print_json, table
    from comptoir.kernel.clock import utc_now
    from comptoir.wallet import api as wallet

    now = utc_now()
    own = _wallet_id(arguments.wallet)
    currency = wallet.wallet_summary(own, now).wallet.currency
    found = wallet.agreements_of(own, now)
    if arguments.json:
        print_json(
            [
                {
                    "agreement": one.id.hex,
                    "merchant_id": one.merchant_id.hex,
                    "payee": one.payee,
                    "state": one.state.value,
                    "currency": currency,
                    "at_once": one.payment_limit,
                    "a_day": one.day_limit,
                    "spent_today": one.spent,
                }
                for one in found
            ]
        )
        return
    numbers = ("At once", "A day", "Spent today")
    table(
        ("Agreement", "With whom", "State", "Since", *numbers),
        [
            (
                one.id.hex,
                one.payee,
                one.state.value,
                f"{one.created_at:%Y-%m-%d}",
                *(_money(minor, currency) for minor in (one.payment_limit, one.day_limit, one.spent)),
            )
            for one in found
        ],
        right=numbers,
    )


def _end_agreement(arguments: argparse.Namespace) -> None:
    from django.conf import settings

    from comptoir.cli.show import say
    from comptoir.flows.api import OK, Desk, EndAgreement, execute
    from comptoir.kernel.clock import utc_now
    from comptoir.kernel.ids import parse_id

    own = _wallet_id(arguments.wallet)
    agreement_id = parse_id(arguments.agreement, "agreement")
    command = EndAgreement(wallet_id=own, agreement_id=agreement_id)
    (outcome,) = execute([command], utc_now(), Desk(settings.COMPTOIR.fx_max_age_days))
    if outcome.code != OK:
        raise InvalidValue(f"the wallet has no agreement {agreement_id.hex}", field="agreement")
    say(f"Agreement {agreement_id.hex} has ended: nothing more is taken under it.")


def _set_pin(arguments: argparse.Namespace) -> None:
    from comptoir.cli.show import say
    from comptoir.wallet import api as wallet

    own = _wallet_id(arguments.wallet)
    wallet.set_pin(own, _pin(arguments.pin_file))
    say(f"Wallet {own.hex} has another PIN; wrong ones are forgotten.")


def _statement(arguments: argparse.Namespace) -> None:
    from comptoir.cli.show import movement_cells, print_json, say, table
    from comptoir.kernel.clock import isoformat, utc_now
    from comptoir.wallet import api as wallet

    own = _wallet_id(arguments.wallet)
    lines = wallet.movements(own, limit=arguments.lines).movements
    if arguments.json:
        print_json(
            [
                {
                    "id": line.id.hex,
                    "kind": line.kind.value,
                    "at": isoformat(line.at),
                    "amount": line.amount.minor,
                    "currency": line.amount.currency,
                    "payee": line.payee,
                    "note": line.note,
                    "payment_id": line.payment_id.hex if line.payment_id else None,
                }
                for line in lines
            ]
        )
        return
    summary = wallet.wallet_summary(own, utc_now())
    say(_limits_text(summary))
    numbers = ("Charged", "Rate", "Amount")
    table(("Time in China", "What", "With whom", *numbers), map(movement_cells, lines), right=numbers)


def _list(arguments: argparse.Namespace) -> None:
    from comptoir.cli.show import money_text, print_json, table
    from comptoir.identity import api as identity
    from comptoir.kernel.clock import utc_now
    from comptoir.kernel.ids import parse_id
    from comptoir.wallet import api as wallet

    if arguments.lines < 1:
        raise InvalidValue("--lines is at least 1", field="--lines")
    after = parse_id(arguments.after, "--after") if arguments.after else None
    found = wallet.wallet_summaries(utc_now(), arguments.lines, after)
    people = identity.people(one.wallet.holder_id for one in found)
    logins = {one.wallet.id: people[one.wallet.holder_id].login for one in found
              if one.wallet.holder_id in people}  # fmt: skip
    if arguments.json:
        print_json([_as_json(one, logins.get(one.wallet.id)) for one in found])
        return
    table(
        ("Wallet", "Login", "Name", "State", "Available", "Spent today"),
        [
            (
                one.wallet.id.hex,
                logins.get(one.wallet.id, ""),
                one.wallet.display_name,
                one.wallet.state.value,
                money_text(one.available),
                _money(one.wallet.spent, one.wallet.currency),
            )
            for one in found
        ],
        right=("Available", "Spent today"),
    )


def _wallet_id(named: str) -> UUID:
    """The wallet of a login, or the one with this id. Raises WalletUnclear, WalletUnknown."""
    from comptoir.identity import api as identity
    from comptoir.kernel.clock import utc_now
    from comptoir.kernel.ids import parse_id
    from comptoir.wallet import api as wallet

    person = identity.person(named)
    if person is not None:
        own = wallet.wallets_of(person.id)
        if len(own) == 1:
            return own[0]
        ids = ", ".join(one.hex for one in own) or "none"
        raise WalletUnclear(f"{person.login} has not one wallet but: {ids}", field="wallet")
    try:
        wallet_id = parse_id(named, "wallet")
    except InvalidValue:
        raise WalletUnclear(f"nobody has the login {named}, nor a wallet this id", field="wallet") from None
    return wallet.wallet_summary(wallet_id, utc_now()).wallet.id


def _pin(file: Path | None) -> str:
    """The PIN out of a file's first line, or typed twice at a terminal. Raises PinMissing."""
    if file is not None:
        try:
            return file.read_text("ascii").partition("\n")[0].strip()
        except (OSError, UnicodeDecodeError):
            raise PinMissing(f"no PIN can be read from {file}", field="--pin-file") from None
    if not sys.stdin.isatty():
        raise PinMissing("nobody is there to type a PIN: give --pin-file", field="--pin-file")
    pin = getpass("Payment PIN, six digits: ")
    if getpass("Once more: ") != pin:
        raise PinMissing("the two PINs differ")
    return pin


def _limits_of(arguments: argparse.Namespace, stands: Limits | None) -> Limits | None:
    """The limits that were given, over those that stand. All three are needed where none stand."""
    from comptoir.kernel.money import Money
    from comptoir.wallet import api as wallet

    given = [arguments.no_pin, arguments.at_once, arguments.a_day]
    if stands is None and None in given:
        if given == [None] * 3:
            return None
        raise InvalidValue("give all three limits: --no-pin, --at-once, --a-day", field="--no-pin")
    old = (stands.no_pin, stands.payment, stands.day) if stands else (0, 0, 0)
    no_pin, payment, day = (
        before if text is None else Money.of(text, arguments.currency).minor
        for text, before in zip(given, old, strict=True)
    )
    return wallet.Limits(no_pin=no_pin, payment=payment, day=day)


def _limits_text(summary: WalletSummary) -> str:
    from comptoir.cli.show import money_text

    one = summary.wallet
    no_pin, at_once, a_day, spent = (
        _money(minor, one.currency)
        for minor in (one.no_pin_limit, one.payment_limit, one.day_limit, one.spent)
    )
    held = f", {money_text(summary.held)} more held for shops" if summary.held.minor else ""
    return (
        f"{one.display_name} ({one.state}): {money_text(summary.available)}{held}. "
        f"Without PIN up to {no_pin}, at once up to {at_once}, a day up to {a_day}, of which {spent} "
        "are spent."
    )


def _money(minor: int, currency: str) -> str:
    from comptoir.cli.show import money_text
    from comptoir.kernel.money import Money

    return money_text(Money(minor, currency))


def _as_json(one: WalletSummary, login: str | None) -> dict[str, Any]:
    return {
        "wallet": one.wallet.id.hex,
        "login": login,
        "name": one.wallet.display_name,
        "currency": one.wallet.currency,
        "state": one.wallet.state.value,
        "available": one.available.minor,
        "held": one.held.minor,
        "spent_today": one.wallet.spent,
        "limits": {
            "no_pin": one.wallet.no_pin_limit,
            "at_once": one.wallet.payment_limit,
            "a_day": one.wallet.day_limit,
        },
    }
