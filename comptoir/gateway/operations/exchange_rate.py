"""inquireExchangeRate: what wallets would pay, promised for a while so that `pay` can name it."""

from __future__ import annotations

import asyncio
from typing import Final

from comptoir.acquiring import api as acquiring
from comptoir.flows import wire
from comptoir.flows.api import AskPrice, Outcome
from comptoir.fx.api import Quote as FxQuote
from comptoir.gateway.call import Call
from comptoir.gateway.operations.account import check_account
from comptoir.gateway.operations.services import Services
from comptoir.gateway.results import outcome_result
from comptoir.standards.antom.messages import (
    Codec,
    InquireExchangeRateRequest,
    InquireExchangeRateResponse,
    PaymentQuote,
    Quote,
    RateType,
    Result,
)
from comptoir.standards.antom.results import ResultCode

_REQUEST: Final = Codec(InquireExchangeRateRequest)


async def exchange_rate(services: Services, call: Call) -> InquireExchangeRateResponse:
    """Price every pair that is asked for and that can be. Raises ParamIllegal, and what the engine raises.

    A pair that no contract, no wallet or no reference rate knows is left out; if none is left, the result
    says why.
    """
    request = _REQUEST.decode(call.body)
    await check_account(services, call, request.merchant_account_id)
    pairs = await _pairs(services, call, request)
    if not pairs:
        return InquireExchangeRateResponse(
            result=Result.of(ResultCode.CURRENCY_NOT_SUPPORT, "no contract and wallet have these currencies")
        )
    outcomes = await asyncio.gather(*(_ask(services, call, request, *pair) for pair in pairs))
    quotes = [one.quote for one in outcomes if one.quote]
    if not quotes:
        return InquireExchangeRateResponse(result=outcome_result(outcomes[0]))
    trade = request.rate_type is RateType.TRADE
    return InquireExchangeRateResponse(
        result=Result.of(ResultCode.SUCCESS),
        quotes=[wire.quote(one) if trade else _shown(one, request.rate_type) for one in quotes],
        payment_quotes=[_payable(one) for one in quotes] if trade else None,
    )


async def _ask(
    services: Services, call: Call, request: InquireExchangeRateRequest, base: str, currency: str
) -> Outcome:
    return await services.submit(
        AskPrice(
            merchant_id=call.client.merchant_id,
            base=base,
            currency=currency,
            promise=request.rate_type is RateType.TRADE,
        )
    )


async def _pairs(
    services: Services, call: Call, request: InquireExchangeRateRequest
) -> list[tuple[str, str]]:
    """(what the merchant charges in, what a wallet pays in): those asked for that exist here."""
    rows = await services.read([acquiring.merchants([call.client.merchant_id])])
    merchant = acquiring.decode_merchants(rows[0]).get(call.client.merchant_id)
    contracts = merchant.contracts if merchant else ()
    charged = dict.fromkeys(one for contract in contracts for one in contract.payment_currencies)
    known = [(base, paid) for base in charged for paid in services.wallet_currencies if base != paid]
    if request.currency_pairs:
        asked = {(one.buy_currency, one.sell_currency) for one in request.currency_pairs}
        return [pair for pair in known if pair in asked]
    return [
        (base, paid)
        for base, paid in known
        if request.buy_currency in (None, "", base)
        and request.payment_currency in (None, "", base)
        and request.sell_currency in (None, "", paid)
    ]


def _shown(quote: FxQuote, kind: RateType) -> Quote:
    """A price nobody promises: the mid rate, or what the traveller pays with the margin."""
    price = quote.mid if kind is RateType.REFERENCE else quote.price
    return Quote(quote_currency_pair=quote.pair, quote_price=price, guaranteed=False)


def _payable(quote: FxQuote) -> PaymentQuote:
    return PaymentQuote(
        quote_id=quote.id.hex,
        sell_currency=quote.quote,
        buy_currency=quote.base,
        exchange_rate=quote.price,
    )
