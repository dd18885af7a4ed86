"""Payments, refunds, subscriptions in the words of the Antom API: what answers and notifications share.

One place, so that what a merchant is told, asks and is told again is the same to the digit.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec

from comptoir.acquiring.api import (
    PaymentState,
    PaymentView,
    RefundState,
    RefundView,
    SubscriptionState,
    SubscriptionView,
)
from comptoir.acquiring.api import errors as acquiring
from comptoir.flows.types import IN_PROCESS, OK, REFUND_IN_PROCESS
from comptoir.fx import api as fx_api
from comptoir.fx.api import errors as fx
from comptoir.kernel.money import Money
from comptoir.risk.api import errors as risk
from comptoir.standards.antom.messages import (
    Amount,
    CustomizedInfo,
    PeriodRule,
    PeriodTypeName,
    PspCustomerInfo,
    Quote,
)
from comptoir.standards.antom.results import ResultCode
from comptoir.standards.antom.times import format_time
from comptoir.wallet.api import errors as wallet

#: In a payment's details: the acquirer's own name of the merchant it paid for. Others have none.
ACQUIRER_MERCHANT: Final = "acquirerMerchantId"

#: In the details of a payment or refund: what the shop gave along.
_GIVEN: Final = "given"

#: Our codes in the words of the catalogue (antom-api.md §3.4, November 2026).
_RESULT_CODES: Final = {
    OK: ResultCode.SUCCESS,
    IN_PROCESS: ResultCode.PAYMENT_IN_PROCESS,
    REFUND_IN_PROCESS: ResultCode.REFUND_IN_PROCESS,
    acquiring.MERCHANT_UNKNOWN: ResultCode.MERCHANT_NOT_REGISTERED,
    acquiring.MERCHANT_INACTIVE: ResultCode.INVALID_MERCHANT_STATUS,
    acquiring.SANDBOX_MISMATCH: ResultCode.INVALID_MERCHANT_STATUS,
    acquiring.NOT_SIMULATED: ResultCode.BUSINESS_NOT_SUPPORT,
    acquiring.CURRENCY_NOT_SUPPORTED: ResultCode.CURRENCY_NOT_SUPPORT,
    acquiring.SETTLEMENT_NOT_CONTRACTED: ResultCode.SETTLE_CONTRACT_NOT_MATCH,
    acquiring.REQUEST_REUSED: ResultCode.REPEAT_REQ_INCONSISTENT,
    acquiring.PAYMENT_UNKNOWN: ResultCode.ORDER_NOT_EXIST,
    acquiring.PAYMENT_EXPIRED: ResultCode.ORDER_IS_CLOSED,
    acquiring.PAYMENT_CANCELLED: ResultCode.ORDER_IS_CANCELED,
    acquiring.PAYMENT_PAID: ResultCode.ORDER_STATUS_INVALID,
    acquiring.PAYMENT_NOT_PAID: ResultCode.ORDER_STATUS_INVALID,
    acquiring.EXPIRY_INVALID: ResultCode.PARAM_ILLEGAL,
    acquiring.CANCEL_WINDOW: ResultCode.CANCEL_WINDOW_EXCEED,
    acquiring.CANCEL_AFTER_REFUND: ResultCode.PROCESS_FAIL,
    acquiring.DISPUTE_UNKNOWN: ResultCode.RECORD_NOT_FOUND,
    acquiring.DISPUTE_CLOSED: ResultCode.REPEAT_REQUEST,
    acquiring.DISPUTE_LATE: ResultCode.TIME_EXCEEDS_LIMIT,
    acquiring.REFUND_EXCEEDS: ResultCode.REFUND_AMOUNT_EXCEED,
    acquiring.REFUND_WINDOW: ResultCode.REFUND_WINDOW_EXCEED,
    acquiring.REFUND_CURRENCY: ResultCode.CURRENCY_NOT_SUPPORT,
    acquiring.AUTHORIZATION_NOT_OFFERED: ResultCode.BUSINESS_NOT_SUPPORT,
    acquiring.AUTHORIZATION_MISSING: ResultCode.AUTH_NOT_FOUND,
    acquiring.AUTHORIZATION_EXPIRED: ResultCode.AUTH_EXPIRED,
    acquiring.AUTHORIZATION_CANCELLED: ResultCode.AUTH_CANCELLED,
    acquiring.CAPTURE_UNKNOWN: ResultCode.PARAM_ILLEGAL,
    acquiring.CAPTURE_EXCEEDS: ResultCode.CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT,
    acquiring.CAPTURE_CURRENCY: ResultCode.CURRENCY_NOT_SUPPORT,
    acquiring.CANCEL_AFTER_CAPTURE: ResultCode.PROCESS_FAIL,
    acquiring.UPDATE_AFTER_CAPTURE: ResultCode.INCREMENTAL_NOT_SUPPORT,
    acquiring.ACCESS_TOKEN_INVALID: ResultCode.INVALID_ACCESS_TOKEN,
    acquiring.SUBSCRIPTION_UNKNOWN: ResultCode.ORDER_NOT_EXIST,
    acquiring.SUBSCRIPTION_CLOSED: ResultCode.ORDER_STATUS_INVALID,
    acquiring.SUBSCRIPTION_INVALID: ResultCode.PARAM_ILLEGAL,
    acquiring.SUBSCRIPTION_DATE: ResultCode.PROCESS_FAIL,
    acquiring.SUBSCRIPTION_CEILING: ResultCode.PAYMENT_AMOUNT_EXCEED_LIMIT,
    acquiring.AUTH_CODE_INVALID: ResultCode.INVALID_AUTHCODE,
    acquiring.AUTH_CODE_EXPIRED: ResultCode.EXPIRED_AUTHCODE,
    acquiring.REFRESH_TOKEN_INVALID: ResultCode.INVALID_REFRESH_TOKEN,
    wallet.CODE_INVALID: ResultCode.INVALID_PAYMENT_CODE,
    wallet.CODE_EXPIRED: ResultCode.EXPIRED_CODE,
    wallet.CODE_USED: ResultCode.INVALID_PAYMENT_CODE,
    wallet.DEVICE_LOCKED: ResultCode.USER_STATUS_ABNORMAL,
    wallet.WALLET_INACTIVE: ResultCode.USER_STATUS_ABNORMAL,
    wallet.BALANCE_INSUFFICIENT: ResultCode.USER_BALANCE_NOT_ENOUGH,
    wallet.PAYMENT_LIMIT: ResultCode.PAYMENT_AMOUNT_EXCEED_LIMIT,
    wallet.DAY_LIMIT: ResultCode.USER_AMOUNT_EXCEED_LIMIT,
    risk.REFUSED: ResultCode.RISK_REJECT,
    wallet.DECLINED: ResultCode.USER_PAYMENT_VERIFICATION_FAILED,
    wallet.CANCELLED: ResultCode.ORDER_IS_CANCELED,
    wallet.AUTHORIZATION_CLOSED: ResultCode.ORDER_IS_CLOSED,
    fx.RateMissing.code: ResultCode.CURRENCY_NOT_SUPPORT,
    fx.AmountTooSmall.code: ResultCode.PARAM_ILLEGAL,
    fx.AmountTooLarge.code: ResultCode.PAYMENT_AMOUNT_EXCEED_LIMIT,
    fx.QuoteExpired.code: ResultCode.QUOTE_EXPIRED,
    fx.QuoteUnfit.code: ResultCode.PARAM_ILLEGAL,
}


def result_code(code: str) -> ResultCode:
    """The wire's code for one of our dotted codes; what has no word there is PROCESS_FAIL."""
    return _RESULT_CODES.get(code, ResultCode.PROCESS_FAIL)


def payment_code(payment: PaymentView) -> ResultCode:
    """What `pay` would answer now."""
    match payment.state:
        case PaymentState.SUCCESS:
            return ResultCode.SUCCESS
        case PaymentState.PROCESSING:
            return ResultCode.PAYMENT_IN_PROCESS
        case PaymentState.CANCELLED:
            return ResultCode.ORDER_IS_CANCELED
        case PaymentState.FAIL:
            return result_code(payment.failure_code or "")


def time_of(instant: datetime | None) -> str | None:
    """An instant on the wire, or its absence."""
    return None if instant is None else format_time(instant)


def quote(one: fx_api.Quote) -> Quote:
    """A promised price on the wire."""
    return Quote(
        quote_id=one.id.hex,
        quote_currency_pair=one.pair,
        quote_price=one.price,
        quote_start_time=format_time(one.created_at),
        quote_expiry_time=format_time(one.expires_at),
        guaranteed=one.guaranteed,
    )


def payment_quote(payment: PaymentView) -> Quote | None:
    """The traveller's price: wallet currency for 1 unit of payment currency. None without conversion."""
    if payment.wallet_total is None or payment.quote_price is None:
        return None
    return Quote(
        quote_id=payment.quote_id.hex if payment.quote_id else None,
        quote_currency_pair=f"{payment.amount.currency}/{payment.wallet_total.currency}",
        quote_price=payment.quote_price,
        quote_start_time=time_of(payment.quote_from),
        quote_expiry_time=time_of(payment.quote_until),
        guaranteed=True,
    )


class Given(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a shop gives along with a payment or refund and gets back as it came: nothing here reads it."""

    metadata: str | None = None
    customized_info: CustomizedInfo | None = None
    extend_info: str | None = None
    merchant_account_id: str | None = None

    def details(self) -> dict[str, Any]:
        """The part of a record's details that keeps it; empty when nothing was given."""
        kept = {name: value for name, value in msgspec.to_builtins(self).items() if value}
        return {_GIVEN: kept} if kept else {}


_NOTHING_GIVEN: Final = Given()


def given(details: dict[str, Any] | None) -> Given:
    """What the shop gave along, out of the details of a payment or refund."""
    kept = details.get(_GIVEN) if details else None
    return msgspec.convert(kept, Given) if kept else _NOTHING_GIVEN


def actual_payment(payment: PaymentView) -> Amount | None:
    """What the wallet paid (of an authorization: what it holds or held); None until it has."""
    paid = payment.state is PaymentState.SUCCESS
    return Amount.of(payment.wallet_total) if paid and payment.wallet_total is not None else None


def processing(payment: PaymentView) -> Amount | None:
    """The same for a payment at a quote that the merchant asked for; None for any other."""
    return actual_payment(payment) if payment.asked_quote_id else None


def customs_declaration(payment: PaymentView) -> Amount | None:
    """The yuan that the buyer paid, the most that may be declared to Chinese customs (antom-api.md §4.1).

    None for what was paid in another currency, or of whose price we know nothing.
    """
    total = payment.wallet_total
    if payment.state is not PaymentState.SUCCESS or total is None or total.currency != "CNY":
        return None
    taken = total if payment.capture_mode is None else Money(payment.wallet_captured, total.currency)
    return Amount.of(taken) if taken.minor else None


def actual_refund(refund: RefundView) -> Amount | None:
    """What went back to the wallet, in its currency; None until it has, or where its issuer does not say."""
    given_back = refund.state is RefundState.SUCCESS
    return Amount.of(refund.wallet_amount) if given_back and refund.wallet_amount is not None else None


def gross_settlement(payment: PaymentView) -> Amount | None:
    """What a paid merchant is owed, before fees: of an authorization, what was captured, if anything was."""
    if payment.state is not PaymentState.SUCCESS:
        return None
    if payment.capture_mode is None:
        return Amount.of(payment.settlement)
    captured = Money(payment.settlement_captured, payment.settlement.currency)
    return Amount.of(captured) if captured.minor else None


def settlement_quote(payment: PaymentView) -> Quote | None:
    """The merchant's price: settlement currency for 1 unit of payment currency. None without conversion."""
    if payment.settlement.currency == payment.amount.currency:
        return None
    return Quote(
        quote_currency_pair=f"{payment.amount.currency}/{payment.settlement.currency}",
        quote_price=payment.settlement_price,
        guaranteed=True,
    )


def customer(payment: PaymentView) -> PspCustomerInfo | None:
    """Who paid, as far as the wallet says; None until a wallet is known."""
    if payment.issuer is None:
        return None
    return PspCustomerInfo(psp_name=payment.issuer, psp_customer_id=payment.customer_ref)


def subscription_status(one: SubscriptionView) -> str | None:
    """The wire's word for how a subscription stands; None until its traveller has approved."""
    return None if one.state is SubscriptionState.OPEN else one.state.value.upper()


def period_rule(one: SubscriptionView) -> PeriodRule:
    """How often a subscription renews."""
    return PeriodRule(period_type=PeriodTypeName(one.period.kind.value), period_count=one.period.count)


def ceiling(one: SubscriptionView) -> Amount | None:
    """The most that the traveller agreed to, where that is more than the present amount."""
    most = Money(one.ceiling, one.amount.currency)
    return Amount.of(most) if most.minor > one.amount.minor else None
