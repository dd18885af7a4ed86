"""How the commands show things: tables, amounts, JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from comptoir.kernel.clock import CHINA

if TYPE_CHECKING:
    from rich.console import Console

    from comptoir.kernel.money import Money
    from comptoir.wallet.api import Movement


#: Columns of a table in a pipe or file, where there is no terminal whose width could be asked.
_WIDE = 240


def console() -> Console:
    """Where tables and confirmations go. Lines are not broken, so that a pipe gets them whole."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _WIDE)


def say(text: str) -> None:
    """One line of confirmation. What people named is shown as it is, never read as markup."""
    console().print(text, markup=False)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = ()) -> None:
    """A table; the columns named in `right` hold numbers."""
    from rich.table import Table
    from rich.text import Text

    drawn = Table()
    for name in columns:
        drawn.add_column(name, justify="right" if name in right else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*map(Text, row))
    console().print(drawn)


def print_json(value: Any) -> None:
    """One JSON document on standard output, for a script."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2)
    print()


def money_text(amount: Money) -> str:
    """An amount in major units: ``1,250.00 CNY``."""
    return f"{amount.decimal():,} {amount.currency}"


def movement_cells(line: Movement) -> tuple[str, ...]:
    """A line of a wallet's statement: time in China, kind, payee, what the shop charged, rate, amount."""
    charged = money_text(line.charge) if line.charge else ""
    rate = f"{line.price:.6f}" if line.price is not None else ""
    what = line.kind.value.replace("_", "-")
    if line.refunded is not None and line.refunded.minor:
        what += f", {money_text(line.refunded)} back"
    when = line.at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")
    return when, what, line.payee or line.note, charged, rate, money_text(line.amount)
