"""What a traveller does with a phone: show a code, scan, approve, refuse, look at the statement."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from getpass import getpass
from typing import TYPE_CHECKING
from uuid import UUID

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from comptoir.cli.demo.world import use_demo_variables
from comptoir.cli.show import console as terminal
from comptoir.cli.show import money_text, movement_cells
from comptoir.kernel.errors import ComptoirError

if TYPE_CHECKING:
    from comptoir.config.environment import Environment
    from comptoir.flows.api import Command, Outcome
    from comptoir.wallet.api import AuthorizationView


class TravellerUnknown(ComptoirError):
    """Nobody with a wallet has this login."""

    code = "demo.traveller_unknown"


def run(arguments: argparse.Namespace) -> int:
    """One of the traveller's commands. Exit code 0: done; 1: refused, or there was nothing to do."""
    from comptoir.cli.database import open_database

    use_demo_variables()
    environment = open_database()
    from comptoir.wallet.api import PinRefused

    commands: dict[str, Callable[[argparse.Namespace, UUID, Environment], int]] = {
        "code": _code,
        "order": _order,
        "confirm": _confirm,
        "decline": _decline,
        "agree": _agree,
        "statement": _statement,
    }
    try:
        return commands[arguments.part](arguments, wallet_of(arguments.login), environment)
    except PinRefused as refused:
        print(f"comptoir demo {arguments.part}: {refused.message}", file=sys.stderr)
        return 1


def wallet_of(login: str) -> UUID:
    """The wallet of the traveller with this login. Raises TravellerUnknown."""
    from comptoir.identity import api as identity
    from comptoir.wallet import api as wallet

    person = identity.person(login)
    wallets = wallet.wallets_of(person.id) if person else ()
    if not wallets:
        raise TravellerUnknown(f"no traveller has the login {login}; demo.json names them all", field="login")
    return wallets[0]


def do(commands: Sequence[Command], environment: Environment) -> list[Outcome]:
    """Carry out the traveller's commands, in one batch of their own beside the gateway's."""
    from comptoir.flows.api import Desk, execute
    from comptoir.kernel.clock import utc_now

    return execute(commands, utc_now(), Desk(environment.fx_max_age_days))


def _code(arguments: argparse.Namespace, own: UUID, environment: Environment) -> int:
    """Print a payment code and nothing else, for a pipe."""
    from comptoir.cli.demo.codes import devices_of, fresh_code
    from comptoir.kernel.clock import utc_now
    from comptoir.standards.payment_code import Form

    devices = devices_of([own], utc_now())[own]
    if not devices:
        raise TravellerUnknown(f"{arguments.login} has no phone that shows codes", field="login")
    form = Form.SHORT if arguments.form == "18" else Form.ALIPAY_PLUS
    print(fresh_code(environment.home, devices, form))
    return 0


def _order(arguments: argparse.Namespace, own: UUID, environment: Environment) -> int:
    """Claim an order, show its price, and pay it with the PIN; without one it waits."""
    from comptoir.flows.api import IN_PROCESS, Claim
    from comptoir.standards import order_code

    # A tester may reach us under another address than the one printed in the code: the digits decide.
    digits = order_code.validate(arguments.code.strip().rpartition("/")[2])
    (claimed,) = do([Claim(order_code=digits, wallet_id=own, device=_phone(own))], environment)
    console = terminal()
    if claimed.code != IN_PROCESS:
        return _refused(console, claimed)
    asked = [one for one in _waiting(own) if claimed.payment and one.payment_id == claimed.payment.id]
    if not asked:
        console.print("Another wallet has just taken this order over.")
        return 1
    _show_price(console, asked[0])
    pin = _pin(arguments)
    if pin is None:
        console.print(f"It waits: comptoir demo confirm --login {arguments.login} --pin PIN")
        return 0
    return _approve(console, own, asked, pin, environment)


def _confirm(arguments: argparse.Namespace, own: UUID, environment: Environment) -> int:
    """Approve what waits."""
    console = terminal()
    asked = _chosen(arguments, own)
    if not asked:
        console.print("Nothing waits for this traveller.")
        return 1
    for one in asked:
        _show_price(console, one)
    pin = _pin(arguments)
    if pin is None:
        console.print("The PIN is needed: --pin", style="red")
        return 1
    return _approve(console, own, asked, pin, environment)


def _decline(arguments: argparse.Namespace, own: UUID, environment: Environment) -> int:
    """Refuse what waits."""
    from comptoir.flows.api import Decline

    console = terminal()
    asked = _chosen(arguments, own)
    if not asked:
        console.print("Nothing waits for this traveller.")
        return 1
    do([Decline(wallet_id=own, authorization_id=one.id) for one in asked], environment)
    still = {one.id for one in _waiting(own)}
    for one in asked:
        word = "still waits" if one.id in still else "refused"
        console.print(f"{escape(one.payee)}, {money_text(one.charge)}: {word}")
    return 1 if still & {one.id for one in asked} else 0


def _agree(arguments: argparse.Namespace, own: UUID, environment: Environment) -> int:
    """Say who asks for what, and approve it with the PIN; or refuse."""
    from comptoir.flows.api import OK, ApproveAgreement, DeclineAgreement
    from comptoir.kernel.clock import utc_now
    from comptoir.kernel.money import Money
    from comptoir.wallet import api as wallet

    console = terminal()
    code = arguments.code.strip().rpartition("/")[2]
    if arguments.decline:
        (outcome,) = do([DeclineAgreement(consent_code=code)], environment)
        if outcome.code != OK:
            return _refused(console, outcome)
        console.print("Refused.")
        return 0
    pin = _pin(arguments)
    if pin is None:
        console.print("The PIN is needed: --pin", style="red")
        return 1
    currency = wallet.wallet_summary(own, utc_now()).wallet.currency
    at_once, a_day = (
        None if text is None else Money.of(text, currency).minor
        for text in (arguments.at_once, arguments.a_day)
    )
    wallet.check_pin(own, pin, utc_now())
    command = ApproveAgreement(consent_code=code, wallet_id=own, payment_limit=at_once, day_limit=a_day)
    (outcome,) = do([command], environment)
    if outcome.code != OK or outcome.agreement is None:
        return _refused(console, outcome)
    made = next(one for one in wallet.agreements_of(own, utc_now()) if one.id == outcome.agreement.id)
    limits = [money_text(Money(minor, currency)) for minor in (made.payment_limit, made.day_limit)]
    console.print(
        f"[green]Agreed.[/] {escape(made.payee)} may take up to {limits[0]} at once and {limits[1]} a day "
        f"without asking. Agreement {made.id.hex}."
    )
    return 0


def _approve(
    console: Console, own: UUID, asked: Sequence[AuthorizationView], pin: str, environment: Environment
) -> int:
    """Check the PIN once, then pay one after the other. Exit code 1 when one of them is refused."""
    from comptoir.flows.api import OK, Confirm
    from comptoir.kernel.clock import utc_now
    from comptoir.wallet import api as wallet

    wallet.check_pin(own, pin, utc_now())
    phone = _phone(own)
    result = 0
    for one in asked:
        (outcome,) = do([Confirm(wallet_id=own, authorization_id=one.id, device=phone)], environment)
        if outcome.code == OK and outcome.payment is not None and outcome.payment.hold_id is not None:
            console.print(f"[green]Held[/] {money_text(one.total)} for {escape(one.payee)}, to be captured.")
        elif outcome.code == OK:
            console.print(f"[green]Paid[/] {money_text(one.total)} to {escape(one.payee)}.")
        else:
            result = _refused(console, outcome)
    return result


def _statement(arguments: argparse.Namespace, own: UUID, environment: Environment) -> int:
    """The wallet, what waits, and its newest movements."""
    from comptoir.kernel.clock import utc_now
    from comptoir.kernel.money import Money
    from comptoir.wallet import api as wallet

    console = terminal()
    summary = wallet.wallet_summary(own, utc_now())
    view = summary.wallet

    def yuan(minor: int) -> str:
        return money_text(Money(minor, view.currency))

    console.print(f"[bold]{escape(view.display_name)}[/]  {money_text(summary.available)}  ({view.state})")
    console.print(
        f"Without PIN up to {yuan(view.no_pin_limit)}, at once up to {yuan(view.payment_limit)}, "
        f"today {yuan(view.spent)} of {yuan(view.day_limit)}."
    )
    for one in _waiting(own):
        _show_price(console, one)
    for one in wallet.held(own):
        left = yuan(one.total.minor - one.captured)
        console.print(f"{left} are held for [bold]{escape(one.payee)}[/]. Payment {one.payment_id.hex}.")
    table = Table()
    for name in ("Time in China", "What", "With whom"):
        table.add_column(name)
    for name in ("Charged", "Rate", "Amount"):
        table.add_column(name, justify="right")
    for line in wallet.movements(own, limit=arguments.lines).movements:
        table.add_row(*map(escape, movement_cells(line)))
    console.print(table)
    return 0


def _show_price(console: Console, one: AuthorizationView) -> None:
    """What is asked: the shop's price, the rate, the margin in it, and what the wallet pays."""
    from comptoir.kernel.money import Money

    margin = Money(one.margin, one.total.currency)
    console.print(
        f"[bold]{escape(one.payee)}[/] asks {money_text(one.charge)}: {money_text(one.total)} "
        f"at {one.price:.6f} {one.total.currency} for 1 {one.charge.currency}, "
        f"{money_text(margin)} of it margin. Payment {one.payment_id.hex}."
    )


def _refused(console: Console, outcome: Outcome) -> int:
    words = f": {outcome.message}" if outcome.message else ""
    console.print(f"[red]Refused[/] ({outcome.code}){words}")
    return 1


def _phone(own: UUID) -> int | None:
    """The first of the traveller's phones that are in use."""
    from comptoir.wallet import api as wallet

    return next((one.number for one in wallet.devices_of(own) if one.active), None)


def _waiting(own: UUID) -> tuple[AuthorizationView, ...]:
    from comptoir.kernel.clock import utc_now
    from comptoir.wallet import api as wallet

    return wallet.waiting(own, utc_now())


def _chosen(arguments: argparse.Namespace, own: UUID) -> list[AuthorizationView]:
    """What waits, or the one payment that was named."""
    from comptoir.kernel.ids import parse_id

    wanted = parse_id(arguments.payment, "--payment") if arguments.payment else None
    return [one for one in _waiting(own) if wanted in (None, one.payment_id, one.id)]


def _pin(arguments: argparse.Namespace) -> str | None:
    """The PIN as given, or asked for at a terminal; None where nobody can be asked."""
    if arguments.pin:
        return str(arguments.pin)
    return getpass("PIN: ") if sys.stdin.isatty() else None
