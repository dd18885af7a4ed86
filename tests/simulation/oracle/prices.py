"""The rules of prices that are promised beforehand, and of payments that ask to be paid at one."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from comptoir.acquiring.api import errors as acquiring
from comptoir.flows import api as flows
from comptoir.fx.api import errors as fx
from tests.simulation.oracle.kept import Kept
from tests.simulation.oracle.types import Promise, Wrong


def ask_price(kept: Kept, command: flows.AskPrice, outcome: flows.Outcome, now: datetime) -> str:
    """A merchant asks what a wallet would pay."""
    terms = kept.terms[command.merchant_id]
    if command.base not in terms.currencies:
        return acquiring.CURRENCY_NOT_SUPPORTED
    quote = outcome.quote
    if quote is None or not quote.created_at <= now < quote.expires_at:
        raise Wrong(f"{command} was answered {outcome.code} without a price that holds")
    price = kept.price(command.base, "CNY", terms.margin_bps)
    said = quote.owner_id, quote.base, quote.quote, quote.price
    if said != (command.merchant_id, command.base, "CNY", price):
        raise Wrong(f"{quote} was promised, the rules say {price}")
    if command.promise:
        promise = Promise(quote.id, command.merchant_id, command.base, price, quote.expires_at)
        if kept.promises.setdefault(quote.id, promise) != promise:
            raise Wrong(f"quote {quote.id} has changed")
    return flows.OK


def promised(kept: Kept, command: flows.Pay, now: datetime) -> Promise | str | None:
    """The price that a payment asks to be paid at; why it may not be; None where it names none."""
    asked = command.quote
    if asked is None:
        return None
    promise = kept.promises.get(asked.id)
    if promise is None or promise.merchant_id != command.merchant_id:
        return fx.QuoteUnfit.code
    if promise.base != command.amount.currency or not _told(asked, promise.price, command):
        return fx.QuoteUnfit.code
    if now >= promise.until:
        return fx.QuoteExpired.code
    bps = kept.terms[command.merchant_id].margin_bps
    total = kept.converted(command.amount.minor, command.amount.currency, "CNY", bps)
    if asked.total is not None and (asked.total.minor, asked.total.currency) != (total, "CNY"):
        return fx.QuoteUnfit.code
    return fx.QuoteUnfit.code if command.issuer is not None else promise


def _told(asked: flows.AskedQuote, price: Decimal, command: flows.Pay) -> bool:
    """Whether the merchant tells the price as it is, to a millionth."""
    pair = (asked.rate.base, asked.rate.quote) == (command.amount.currency, "CNY")
    return pair and abs(Fraction(asked.rate.value) / Fraction(price) - 1) <= Fraction(1, 10**6)
