"""Amounts that people type, with a point or a comma."""

from __future__ import annotations

from typing import Final

from comptoir.fx import api as fx
from comptoir.kernel.errors import InvalidValue
from comptoir.kernel.money import Money, exponent

#: Characters of an amount that a person types: nine digits before the point.
LONGEST: Final = 13


def typed_amount(typed: str, currency: str) -> Money | None:
    """What was typed; None for what is no amount that can be paid."""
    if len(typed) > LONGEST:
        return None
    try:
        amount = Money.of(typed.strip().replace(",", "."), currency)
    except InvalidValue:
        return None
    return amount if amount.minor > 0 and amount.minor % fx.payable_step(currency) == 0 else None


def example(currency: str) -> str:
    """An amount as it is typed in this currency: 12.50, or 12 where there are no cents."""
    return "12" if exponent(currency) == 0 else f"12.{'50'.ljust(exponent(currency), '0')}"
