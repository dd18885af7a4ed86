"""What a payment costs: the price that a merchant asks for beforehand, and the one it asks to be paid at."""

from __future__ import annotations

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import ContractView, PaymentView
from comptoir.flows.engine.decision import Decision, refuse
from comptoir.flows.engine.world import World
from comptoir.flows.types import OK, AskPrice, Outcome, Pay
from comptoir.fx import api as fx
from comptoir.kernel.errors import ComptoirError
from comptoir.wallet.api import OWN_ISSUER


def ask_price(command: AskPrice, world: World) -> Decision:
    """Say what a wallet would pay, and promise it if that is asked for. Moves nothing."""
    merchant = world.merchants.get(command.merchant_id)
    try:
        contract = acquiring.rules.contract_for(merchant, command.base, command.settlement_currency)
        if command.promise and merchant is not None and merchant.sandbox:
            raise acquiring.Refused(
                "a simulated wallet pays in the currency of the charge, so there is no quote",
                code=acquiring.errors.NOT_SIMULATED,
            )
        quote = world.desk.quote(
            command.merchant_id, command.base, command.currency, contract.margin_bps, world.now
        )
        if command.amount is not None:
            world.desk.settlement(command.amount, contract.settlement_currency, world.now)
            fx.split(command.amount, quote)
    except ComptoirError as error:
        return refuse(error.code, error.message, field=error.field)
    return Decision(outcome=Outcome(code=OK, quote=quote), quote=quote if command.promise else None)


def asked_quote(command: Pay, contract: ContractView, world: World) -> fx.Quote | None:
    """The stored quote that a payment is to be priced at, or None where the merchant names none.

    Raises QuoteUnfit, QuoteExpired, and what taking the amount apart raises.
    """
    asked = command.quote
    if asked is None:
        return None
    quote = fx.check_fit(
        world.quotes.get(asked.id), command.merchant_id, command.amount.currency, contract.margin_bps
    )
    fx.check_told(quote, asked.rate)
    fx.check_unexpired(quote, world.now)
    total = fx.split(command.amount, quote).total
    if asked.total not in (None, total):
        raise fx.QuoteUnfit(f"at this quote the buyer pays {total}", field="processingAmount")
    if command.issuer not in (None, OWN_ISSUER):
        raise fx.QuoteUnfit("another issuer sets its own price", field="paymentQuote")
    return quote


def price_for(payment: PaymentView, currency: str, margin_bps: int, world: World) -> fx.Quote:
    """The quote at which a wallet pays in `currency`: the one asked for, or else the desk's.

    Raises fx errors; QuoteUnfit when the wallet pays in another currency than the quote.
    """
    if payment.asked_quote_id is None:
        base = payment.amount.currency
        return world.desk.quote(payment.merchant_id, base, currency, margin_bps, world.now)
    quote = world.quotes[payment.asked_quote_id]
    fx.check_unexpired(quote, world.now)
    if quote.quote != currency:
        raise fx.QuoteUnfit(f"the quote is for {quote.pair}, the wallet pays in {currency}")
    return quote
