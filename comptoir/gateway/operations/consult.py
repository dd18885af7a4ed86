"""consult: which wallets can pay this amount, and why the others cannot."""

from __future__ import annotations

import asyncio
from typing import Final

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import errors as refusals
from comptoir.flows.api import OK, AskPrice, Outcome
from comptoir.fx import api as fx
from comptoir.gateway.call import Call
from comptoir.gateway.operations.account import check_account
from comptoir.gateway.operations.services import OWN_METHOD_TYPES, Services
from comptoir.gateway.results import outcome_result
from comptoir.standards.antom.messages import (
    AmountLimit,
    AmountLimits,
    Codec,
    ConsultRequest,
    ConsultResponse,
    DisableReason,
    InStorePaymentScenario,
    PaymentOption,
    ProductCode,
    Result,
)
from comptoir.standards.antom.results import ResultCode
from comptoir.wallet.api import CNY_LIMITS, OWN_ISSUER

_REQUEST: Final = Codec(ConsultRequest)

_CATEGORY: Final = "WALLET"

#: What a refusal to price means for an option; any other refusal is the whole request's.
_REASONS: Final = {
    refusals.CURRENCY_NOT_SUPPORTED: DisableReason.CURRENCY,
    fx.RateMissing.code: DisableReason.CURRENCY,
    fx.RateStale.code: DisableReason.DEGRADED,
    fx.AmountTooSmall.code: DisableReason.LIMIT,
    fx.AmountTooLarge.code: DisableReason.LIMIT,
}


async def consult(services: Services, call: Call) -> ConsultResponse:
    """List the wallets. Raises ParamIllegal, and what the engine raises.

    Whether our own wallet can pay is found out as `pay` would: contract, rates, conversion; then the limits
    that wallets usually have.
    """
    request = _REQUEST.decode(call.body)
    await check_account(services, call, request.merchant_account_id)
    charge = request.payment_amount.currency
    # A simulated wallet pays in the currency of the charge, whatever it is.
    currencies = (charge,) if call.client.sandbox else services.wallet_currencies
    limited = "CNY" in services.wallet_currencies and not call.client.sandbox
    # The first is what other issuers need: they convert themselves, and the merchant is owed all the same.
    owed, *priced = await asyncio.gather(
        *(_price(services, call, request, currency) for currency in (charge, *currencies))
    )
    if owed.code != OK and owed.code not in _REASONS:
        return ConsultResponse(result=outcome_result(owed))
    charged = await _currencies(services, call, request)
    options = [
        *_own(call, request, priced, charged, limited=limited),
        *_others(services, request, owed, charged),
    ]
    if not options:
        return ConsultResponse(result=Result.of(ResultCode.NO_PAY_OPTIONS))
    return ConsultResponse(result=Result.of(ResultCode.SUCCESS), payment_options=options)


async def _price(services: Services, call: Call, request: ConsultRequest, currency: str) -> Outcome:
    amount, settlement = request.payment_amount.money(), request.settlement_strategy
    return await services.submit(
        AskPrice(
            merchant_id=call.client.merchant_id,
            base=amount.currency,
            currency=currency,
            promise=False,
            amount=amount,
            settlement_currency=(settlement.settlement_currency or None) if settlement else None,
        )
    )


async def _currencies(services: Services, call: Call, request: ConsultRequest) -> list[str]:
    """What the merchant may charge in, under the contract that is asked for or under any."""
    wanted = request.settlement_strategy.settlement_currency if request.settlement_strategy else ""
    rows = await services.read([acquiring.merchants([call.client.merchant_id])])
    merchant = acquiring.decode_merchants(rows[0])[call.client.merchant_id]
    return sorted(
        {
            currency
            for contract in merchant.contracts
            if wanted in ("", contract.settlement_currency)
            for currency in contract.payment_currencies
        }
    )


def _own(
    call: Call, request: ConsultRequest, priced: list[Outcome], charged: list[str], *, limited: bool
) -> list[PaymentOption]:
    """Our wallet, enabled if it can pay in any of its currencies; under each name the merchant allows.

    It has several names and is one wallet: whoever blocks one of them blocks it. `limited`: it has the limits
    of wallets in yuan.
    """
    if not priced or not OWN_METHOD_TYPES.isdisjoint(request.blocked_payment_methods or ()):
        return []
    agreed = request.product_code is ProductCode.AGREEMENT_PAYMENT
    if agreed + call.client.sandbox + _authorizes(request) > 1:  # each is possible, no two of them together
        reason: DisableReason | None = DisableReason.DISABLED
    else:
        reasons = [_reason(request, one, limited=limited) for one in priced]
        reason = None if None in reasons else reasons[0]
    names = [name for name in request.allowed_payment_methods or () if name in OWN_METHOD_TYPES]
    return [
        PaymentOption(
            payment_method_type=name,
            payment_method_category=_CATEGORY,
            enabled=reason is None,
            disable_reason=reason,
            supported_currencies=charged,
            amount_limit_info_map=_yuan_limits() if limited else None,
        )
        for name in dict.fromkeys(names or [OWN_ISSUER])
        if _wanted(name, request)
    ]


def _yuan_limits() -> dict[str, AmountLimits]:
    single, day = AmountLimit(max=str(CNY_LIMITS.payment)), AmountLimit(max=str(CNY_LIMITS.day))
    return {"CNY": AmountLimits(single_limit=single, day_limit=day)}


def _reason(request: ConsultRequest, priced: Outcome, *, limited: bool) -> DisableReason | None:
    """Why a wallet of one currency cannot pay, or None."""
    if priced.quote is None:
        return _REASONS.get(priced.code, DisableReason.DEGRADED)
    total = fx.split(request.payment_amount.money(), priced.quote).total
    if limited and total.currency == "CNY" and total.minor > CNY_LIMITS.payment:
        return DisableReason.LIMIT
    return None


def _others(
    services: Services, request: ConsultRequest, owed: Outcome, charged: list[str]
) -> list[PaymentOption]:
    """Other issuers pay when their code is scanned, at their own price; their limits are not ours to know.

    They authorize nothing.
    """
    factor = request.payment_factor
    scenario = factor.in_store_payment_scenario if factor else None
    scanned = request.product_code is ProductCode.IN_STORE_PAYMENT and scenario in (
        None,
        InStorePaymentScenario.PAYMENT_CODE,
    )
    reason = _REASONS.get(owed.code) or (
        None if scanned and not _authorizes(request) else DisableReason.DISABLED
    )
    return [
        PaymentOption(
            payment_method_type=name,
            payment_method_category=_CATEGORY,
            enabled=reason is None,
            disable_reason=reason,
            supported_currencies=charged,
        )
        for name in services.issuers
        if _wanted(name, request)
    ]


def _authorizes(request: ConsultRequest) -> bool:
    return bool(request.payment_factor and request.payment_factor.is_authorization)


def _wanted(name: str, request: ConsultRequest) -> bool:
    """Whether the merchant lets this option be offered."""
    allowed, blocked = request.allowed_payment_methods, request.blocked_payment_methods or ()
    return name not in blocked and (not allowed or name in allowed)
