"""The house's dotted codes in the words of the API.

A code that is not listed is our own failure, not the caller's: its outcome is unknown to them.
"""

from __future__ import annotations

from typing import Final

from comptoir.standards.antom.messages import Result
from comptoir.standards.antom.results import ResultCode as Code

_CODES: Final[dict[str, Code]] = {
    "ok": Code.SUCCESS,
    "antom.param_illegal": Code.PARAM_ILLEGAL,
    "kernel.invalid_value": Code.PARAM_ILLEGAL,
    "kernel.unknown_currency": Code.PARAM_ILLEGAL,
    # acquiring
    "acquiring.in_process": Code.PAYMENT_IN_PROCESS,
    "acquiring.merchant_unknown": Code.MERCHANT_NOT_REGISTERED,
    "acquiring.merchant_inactive": Code.INVALID_MERCHANT_STATUS,
    "acquiring.currency_not_supported": Code.CURRENCY_NOT_SUPPORT,
    "acquiring.settlement_not_contracted": Code.SETTLE_CONTRACT_NOT_MATCH,
    "acquiring.request_reused": Code.REPEAT_REQ_INCONSISTENT,
    "acquiring.payment_unknown": Code.ORDER_NOT_EXIST,
    "acquiring.payment_expired": Code.ORDER_IS_CLOSED,
    "acquiring.payment_cancelled": Code.ORDER_IS_CANCELED,
    "acquiring.payment_not_paid": Code.ORDER_STATUS_INVALID,
    "acquiring.payment_final": Code.ORDER_STATUS_INVALID,
    "acquiring.expiry_invalid": Code.PARAM_ILLEGAL,
    "acquiring.cancel_window": Code.CANCEL_WINDOW_EXCEED,
    "acquiring.cancel_after_refund": Code.PROCESS_FAIL,
    "acquiring.refund_unknown": Code.REFUND_NOT_EXIST,
    "acquiring.refund_exceeds": Code.REFUND_AMOUNT_EXCEED,
    "acquiring.refund_window": Code.REFUND_WINDOW_EXCEED,
    "acquiring.refund_currency": Code.CURRENCY_NOT_SUPPORT,
    "acquiring.merchant_balance": Code.PROCESS_FAIL,
    # wallet
    "wallet.code_invalid": Code.INVALID_PAYMENT_CODE,
    "wallet.code_expired": Code.EXPIRED_CODE,
    "wallet.code_used": Code.INVALID_PAYMENT_CODE,
    "wallet.device_locked": Code.USER_STATUS_ABNORMAL,
    "wallet.inactive": Code.USER_STATUS_ABNORMAL,
    "wallet.balance_insufficient": Code.USER_BALANCE_NOT_ENOUGH,
    "wallet.payment_limit": Code.PAYMENT_AMOUNT_EXCEED_LIMIT,
    "wallet.day_limit": Code.USER_AMOUNT_EXCEED_LIMIT,
    "wallet.declined": Code.USER_PAYMENT_VERIFICATION_FAILED,
    # fx
    "fx.rate_missing": Code.CURRENCY_NOT_SUPPORT,
    "fx.rate_stale": Code.PROCESS_FAIL,
    "fx.quote_expired": Code.QUOTE_EXPIRED,
    "fx.amount_too_small": Code.PARAM_ILLEGAL,
    # the engine
    "flows.busy": Code.REQUEST_TRAFFIC_EXCEED_LIMIT,
}


def code_of(dotted: str) -> Code:
    """The result code for one of the house's codes; UNKNOWN_EXCEPTION for one that no caller should meet."""
    return _CODES.get(dotted, Code.UNKNOWN_EXCEPTION)


def result_of(dotted: str, message: str = "", field: str | None = None) -> Result:
    """The result for one of the house's codes; the wrong field is named if the message does not yet."""
    if field and field not in message:
        message = f"{field}: {message}" if message else field
    return Result.of(code_of(dotted), message)
