"""Amounts that people type, with a point or a comma."""

from __future__ import annotations

from typing import Final

from babel import numbers

from comptoir.fx import api as fx
from comptoir.kernel.errors import InvalidValue
from comptoir.kernel.money import Money, exponent
from comptoir.web.components.templatetags.comptoir import page_locale

#: Characters of an amount that a person types: nine digits before the point.
LONGEST: Final = 13


def typed_amount(typed: str, currency: str) -> Money | None:
    """What was typed; None for what is no amount that can be paid."""
    amount = typed_money(typed, currency)
    return amount if amount and amount.minor > 0 and amount.minor % fx.payable_step(currency) == 0 else None


def typed_money(typed: str, currency: str) -> Money | None:
    """What was typed, of any size; None for what is no amount.

    More decimals than the currency has are refused, zeros too: who types 1.000 EUR may mean a thousand.
    """
    plain = typed.strip().replace(",", ".")
    if len(plain) > LONGEST or len(plain.partition(".")[2]) > exponent(currency):
        return None
    try:
        return Money.of(plain, currency)
    except InvalidValue:
        return None


def spelled(amount: Money) -> str:
    """An amount as it is typed in the page's language, to stand in a field: 1234.50 or 1234,50."""
    places = exponent(amount.currency)
    form = f"0.{'0' * places}" if places else "0"
    return numbers.format_decimal(amount.decimal(), format=form, locale=page_locale())


def example(currency: str) -> str:
    """An amount as it is typed in this currency: 12.50, or 12 where there are no cents."""
    return "12" if exponent(currency) == 0 else f"12.{'50'.ljust(exponent(currency), '0')}"
