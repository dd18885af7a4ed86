"""inquireExchangeRate: request and response.

The buyer *sells* what the wallet pays in and *buys* what the merchant charges in: `sell_currency` CNY,
`buy_currency` EUR is our pair ``EUR/CNY`` (docs.antom.com "inquireExchangeRate", read November 2026).
"""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import Annotated

import msgspec

from comptoir.kernel.money import UnknownCurrency, exponent
from comptoir.standards.antom.messages.shared import ProductCode, Quote, Result
from comptoir.standards.antom.messages.wire import Max3, Max32, Message, WrongMember

#: As many as the documentation takes.
MOST_PAIRS = 100


class RateType(Enum):
    """TRADE is a promise that `pay` takes; the other two are to be looked at, with and without margin."""

    TRADE = "TRADE"
    REFERENCE_TRADE = "REFERENCE_TRADE"
    REFERENCE = "REFERENCE"


class CurrencyPair(Message, frozen=True):
    """One pair that is asked about."""

    sell_currency: str
    buy_currency: str

    def __post_init__(self) -> None:
        _check_currency(self.sell_currency, "sellCurrency")
        _check_currency(self.buy_currency, "buyCurrency")


class InquireExchangeRateRequest(Message, frozen=True):
    """Ask for prices: of the pairs named, or of all that begin or end as told, or of all there are."""

    currency_pairs: Annotated[list[CurrencyPair], msgspec.Meta(max_length=MOST_PAIRS)] | None = None
    sell_currency: Max3 | None = None
    buy_currency: Max3 | None = None
    payment_currency: Max3 | None = None
    product_code: ProductCode | None = None
    rate_type: RateType = RateType.TRADE
    merchant_account_id: Max32 | None = None

    def __post_init__(self) -> None:
        for currency, member in (
            (self.sell_currency, "sellCurrency"),
            (self.buy_currency, "buyCurrency"),
            (self.payment_currency, "paymentCurrency"),
        ):
            if currency:
                _check_currency(currency, member)


class PaymentQuote(Message, frozen=True):
    """A price that `pay` takes: 1 unit of `buy_currency` costs `exchange_rate` of `sell_currency`."""

    quote_id: str
    sell_currency: str
    buy_currency: str
    exchange_rate: Decimal


class InquireExchangeRateResponse(Message, frozen=True):
    """`quotes` is there whenever the result is S, empty when there is no price for what was asked."""

    result: Result
    quotes: list[Quote] | None = None
    payment_quotes: list[PaymentQuote] | None = None


def _check_currency(currency: str, member: str) -> None:
    try:
        exponent(currency)
    except UnknownCurrency:
        raise WrongMember(member, "must be a three-letter ISO 4217 code") from None
