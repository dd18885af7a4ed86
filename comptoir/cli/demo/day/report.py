"""What the day looked like: to the shops, to the travellers, and to the books."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from comptoir.cli.demo.cast import MERCHANTS, TRAVELLERS, Merchant
from comptoir.cli.demo.day.stories import Sale
from comptoir.cli.demo.world import merchant_id, wallet_id
from comptoir.cli.show import movement_cells
from comptoir.kernel.clock import utc_now
from comptoir.kernel.money import Money
from comptoir.ledger.api import Role, account_id, balance
from comptoir.wallet import api as wallet

_LINES: Final = 8


def owed_by_the_books() -> dict[str, int]:
    """What each merchant is owed, by its reference, in minor units of its settlement currency."""
    return {
        one.ref: balance(account_id(merchant_id(one.ref), Role.MERCHANT_PAYABLE, one.settlement)).posted
        for one in MERCHANTS
    }


def show_shops(console: Console, sales: Sequence[Sale], earned: Mapping[str, int]) -> list[str]:
    """A line for each shop, from what it was answered; returns where the books say otherwise."""
    table = Table(title="The shops' view", box=SIMPLE_HEAD)
    table.add_column("Shop", overflow="ellipsis", no_wrap=True)
    for name in ("Paid", "Refused", "Cancelled", "Taken", "Given back", "Is owed", "Books"):
        table.add_column(name, justify="right", no_wrap=True)
    by_merchant: dict[str, list[Sale]] = defaultdict(list)
    for sale in sales:
        by_merchant[sale.story.merchant.ref].append(sale)
    differences = []
    for merchant in MERCHANTS:
        own, books = by_merchant[merchant.ref], earned[merchant.ref]
        owed = sum(sale.owed for sale in own)
        if owed != books:
            differences.append(f"{merchant.name} counts {owed} {merchant.settlement}, the books {books}")
        if own or books:
            table.add_row(
                *_shop_cells(merchant, own, owed), "[green]agree[/]" if owed == books else "[red]no[/]"
            )
    console.print(table)
    return differences


def _shop_cells(merchant: Merchant, own: Sequence[Sale], owed: int) -> tuple[str, ...]:
    paid = [sale for sale in own if sale.paid]
    return (
        merchant.name,
        str(len(paid)),
        str(len(own) - len(paid)),
        str(sum(sale.cancelled for sale in paid)),
        _amount(sum(sale.story.amount for sale in paid), merchant.currency),
        _amount(sum(sale.refunded for sale in paid), merchant.currency),
        _amount(owed, merchant.settlement),
    )


def show_refusals(console: Console, sales: Iterable[Sale]) -> None:
    """What was not paid, and why."""
    reasons = Counter((sale.code, sale.story.kind.value) for sale in sales if not sale.paid)
    table = Table(title="Not paid, and why", box=SIMPLE_HEAD)
    table.add_column("Result code")
    table.add_column("Because")
    table.add_column("Times", justify="right")
    for (code, because), times in sorted(reasons.items()):
        table.add_row(code, because, str(times))
    console.print(table)


def show_travellers(console: Console, since: datetime) -> None:
    """What each traveller paid and got back, and the end of one statement."""
    table = Table(title="The travellers' view, in CNY", box=SIMPLE_HEAD)
    for name in ("Traveller", "Login"):
        table.add_column(name)
    for name in ("Payments", "Paid", "Came back", "Left"):
        table.add_column(name, justify="right")
    longest: tuple[int, str] = (0, TRAVELLERS[0].login)
    for one in TRAVELLERS:
        lines = _since(one.login, since)
        spent = [line.amount.minor for line in lines if line.kind is wallet.MovementKind.PAYMENT]
        back = [line.amount.minor for line in lines if line.kind in _BACK]
        left = wallet.wallet_summary(wallet_id(one.login), utc_now()).available
        longest = max(longest, (len(back), one.login))
        table.add_row(
            one.name,
            one.login,
            str(len(spent)),
            _amount(-sum(spent), "CNY"),
            _amount(sum(back), "CNY"),
            _amount(left.minor, "CNY"),
        )
    console.print(table)
    _show_statement(console, longest[1], since)


def _show_statement(console: Console, login: str, since: datetime) -> None:
    """The newest lines of one traveller's statement."""
    name = next(one.name for one in TRAVELLERS if one.login == login)
    table = Table(title=f"The end of {name}'s statement", box=SIMPLE_HEAD)
    for column in ("Time in China", "What", "With whom"):
        table.add_column(column, overflow="ellipsis", no_wrap=True)
    for column in ("Charged", "Rate", "Amount"):
        table.add_column(column, justify="right", no_wrap=True)
    for line in _since(login, since)[:_LINES]:
        when, *cells = movement_cells(line)
        table.add_row(*map(escape, (when.rpartition(" ")[2], *cells)))
    console.print(table)


_BACK: Final = (wallet.MovementKind.REFUND, wallet.MovementKind.REVERSAL)


def _since(login: str, since: datetime) -> list[wallet.Movement]:
    """A traveller's movements of this day, newest first."""
    found: list[wallet.Movement] = []
    page = wallet.movements(wallet_id(login), limit=200)
    while True:
        found.extend(line for line in page.movements if line.at >= since)
        if page.older is None or page.movements[-1].at < since:
            return found
        page = wallet.movements(wallet_id(login), page.older, limit=200)


def _amount(minor: int, currency: str) -> str:
    money = Money(minor, currency)
    return f"{money.decimal():,}" if currency == "CNY" else f"{money.decimal():,} {currency}"
