"""Result codes of the API: what each says of the outcome, and a message in plain words.

Source: docs.antom.com per-API tables and release notes, read in November 2026. On these paths the
status is S, F or U; an "A" belongs to other families and the SDKs' enums do not know it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class ResultStatus(StrEnum):
    """S: done. F: refused for good, nothing moved. U: not known yet, ask again with the same id."""

    SUCCESS = "S"
    FAILED = "F"
    UNKNOWN = "U"


class ResultCode(StrEnum):
    """Every code a caller may meet. Member names are the wire spelling."""

    # done, or not yet known
    SUCCESS = "SUCCESS"
    PAYMENT_IN_PROCESS = "PAYMENT_IN_PROCESS"
    REFUND_IN_PROCESS = "REFUND_IN_PROCESS"
    CAPTURE_IN_PROCESS = "CAPTURE_IN_PROCESS"
    VERIFICATION_IN_PROCESS = "VERIFICATION_IN_PROCESS"
    UNKNOWN_EXCEPTION = "UNKNOWN_EXCEPTION"
    REQUEST_TRAFFIC_EXCEED_LIMIT = "REQUEST_TRAFFIC_EXCEED_LIMIT"
    # the request itself
    PARAM_ILLEGAL = "PARAM_ILLEGAL"
    INVALID_SIGNATURE = "INVALID_SIGNATURE"
    INVALID_CLIENT = "INVALID_CLIENT"
    UNKNOWN_CLIENT = "UNKNOWN_CLIENT"
    INVALID_CLIENT_STATUS = "INVALID_CLIENT_STATUS"
    CLIENT_FORBIDDEN_ACCESS_API = "CLIENT_FORBIDDEN_ACCESS_API"
    KEY_NOT_FOUND = "KEY_NOT_FOUND"
    INVALID_API = "INVALID_API"
    NO_INTERFACE_DEF = "NO_INTERFACE_DEF"
    METHOD_NOT_SUPPORTED = "METHOD_NOT_SUPPORTED"
    MEDIA_TYPE_NOT_ACCEPTABLE = "MEDIA_TYPE_NOT_ACCEPTABLE"
    ACCESS_DENIED = "ACCESS_DENIED"
    OAUTH_FAILED = "OAUTH_FAILED"
    SYSTEM_ERROR = "SYSTEM_ERROR"
    PROCESS_FAIL = "PROCESS_FAIL"
    REPEAT_REQ_INCONSISTENT = "REPEAT_REQ_INCONSISTENT"
    RECORD_NOT_FOUND = "RECORD_NOT_FOUND"
    # the payment
    ORDER_NOT_EXIST = "ORDER_NOT_EXIST"
    ORDER_IS_CLOSED = "ORDER_IS_CLOSED"
    ORDER_IS_CANCELED = "ORDER_IS_CANCELED"
    ORDER_STATUS_INVALID = "ORDER_STATUS_INVALID"
    EXPIRED_CODE = "EXPIRED_CODE"
    INVALID_PAYMENT_CODE = "INVALID_PAYMENT_CODE"
    INVALID_CODE = "INVALID_CODE"
    INVALID_ACCESS_TOKEN = "INVALID_ACCESS_TOKEN"  # noqa: S105 - a code, not a secret
    INVALID_TOKEN = "INVALID_TOKEN"  # noqa: S105 - a code, not a secret
    INVALID_AUTHCODE = "INVALID_AUTHCODE"
    EXPIRED_AUTHCODE = "EXPIRED_AUTHCODE"
    INVALID_REFRESH_TOKEN = "INVALID_REFRESH_TOKEN"  # noqa: S105 - a code, not a secret
    # the contract
    CURRENCY_NOT_SUPPORT = "CURRENCY_NOT_SUPPORT"
    INVALID_CONTRACT = "INVALID_CONTRACT"
    INVALID_MERCHANT_STATUS = "INVALID_MERCHANT_STATUS"
    MERCHANT_NOT_REGISTERED = "MERCHANT_NOT_REGISTERED"
    MERCHANT_KYB_NOT_QUALIFIED = "MERCHANT_KYB_NOT_QUALIFIED"
    SETTLE_CONTRACT_NOT_MATCH = "SETTLE_CONTRACT_NOT_MATCH"
    NO_PAY_OPTIONS = "NO_PAY_OPTIONS"
    UNAVAILABLE_PAYMENT_METHOD = "UNAVAILABLE_PAYMENT_METHOD"
    BUSINESS_NOT_SUPPORT = "BUSINESS_NOT_SUPPORT"
    PAYMENT_NOT_QUALIFIED = "PAYMENT_NOT_QUALIFIED"
    PAYMENT_PROHIBITED = "PAYMENT_PROHIBITED"
    QUOTE_EXPIRED = "QUOTE_EXPIRED"
    # the buyer
    PAYMENT_AMOUNT_EXCEED_LIMIT = "PAYMENT_AMOUNT_EXCEED_LIMIT"
    PAYMENT_COUNT_EXCEED_LIMIT = "PAYMENT_COUNT_EXCEED_LIMIT"
    USER_AMOUNT_EXCEED_LIMIT = "USER_AMOUNT_EXCEED_LIMIT"
    USER_BALANCE_NOT_ENOUGH = "USER_BALANCE_NOT_ENOUGH"
    USER_NOT_EXIST = "USER_NOT_EXIST"
    USER_STATUS_ABNORMAL = "USER_STATUS_ABNORMAL"
    USER_KYC_NOT_QUALIFIED = "USER_KYC_NOT_QUALIFIED"
    USER_PAYMENT_VERIFICATION_FAILED = "USER_PAYMENT_VERIFICATION_FAILED"
    RISK_REJECT = "RISK_REJECT"
    REGULATION_RESTRICTION = "REGULATION_RESTRICTION"
    # refunds and cancellations
    REFUND_AMOUNT_EXCEED = "REFUND_AMOUNT_EXCEED"
    REFUND_WINDOW_EXCEED = "REFUND_WINDOW_EXCEED"
    MULTIPLE_REFUNDS_NOT_SUPPORTED = "MULTIPLE_REFUNDS_NOT_SUPPORTED"
    REFUND_NOT_EXIST = "REFUND_NOT_EXIST"
    CANCEL_WINDOW_EXCEED = "CANCEL_WINDOW_EXCEED"
    # disputes
    REPEAT_REQUEST = "REPEAT_REQUEST"
    TIME_EXCEEDS_LIMIT = "TIME_EXCEEDS_LIMIT"
    # authorizations
    AUTH_NOT_FOUND = "AUTH_NOT_FOUND"
    AUTH_EXPIRED = "AUTH_EXPIRED"
    AUTH_CANCELLED = "AUTH_CANCELLED"
    CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT = "CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT"
    MULTI_CAPTURE_NOT_SUPPORTED = "MULTI_CAPTURE_NOT_SUPPORTED"
    INCREMENTAL_NOT_SUPPORT = "INCREMENTAL_NOT_SUPPORT"

    @property
    def status(self) -> ResultStatus:
        """S, F or U; a code outside the two short lists below is a refusal."""
        if self is ResultCode.SUCCESS:
            return ResultStatus.SUCCESS
        return ResultStatus.UNKNOWN if self in _UNKNOWN else ResultStatus.FAILED

    @property
    def message(self) -> str:
        """The message when there is nothing more exact to say."""
        return _MESSAGES.get(self) or self.value.lower().replace("_", " ")


_UNKNOWN: Final = frozenset(
    {
        ResultCode.PAYMENT_IN_PROCESS,
        ResultCode.REFUND_IN_PROCESS,
        ResultCode.CAPTURE_IN_PROCESS,
        ResultCode.VERIFICATION_IN_PROCESS,
        ResultCode.UNKNOWN_EXCEPTION,
        ResultCode.REQUEST_TRAFFIC_EXCEED_LIMIT,
    }
)

_MESSAGES: Final[dict[ResultCode, str]] = {
    ResultCode.SUCCESS: "success",
    ResultCode.PAYMENT_IN_PROCESS: "the payment is in process: wait for the notification, or inquire",
    ResultCode.REFUND_IN_PROCESS: "the refund is in process: inquire with inquiryRefund",
    ResultCode.UNKNOWN_EXCEPTION: "the outcome is not known: repeat the same request with the same id",
    ResultCode.REQUEST_TRAFFIC_EXCEED_LIMIT: "too many requests just now: wait, then repeat the same one",
    ResultCode.INVALID_SIGNATURE: "the signature does not verify",
    ResultCode.UNKNOWN_CLIENT: "no client has this client-id",
    ResultCode.INVALID_CLIENT: "the client-id header is missing or malformed",
    ResultCode.INVALID_CLIENT_STATUS: "this client is suspended",
    ResultCode.CLIENT_FORBIDDEN_ACCESS_API: "this interface is not open to this client",
    ResultCode.KEY_NOT_FOUND: "no public key of this client has this keyVersion",
    ResultCode.NO_INTERFACE_DEF: "this interface is not open here",
    ResultCode.METHOD_NOT_SUPPORTED: "only POST is supported",
    ResultCode.MEDIA_TYPE_NOT_ACCEPTABLE: "only application/json is accepted",
    ResultCode.REPEAT_REQ_INCONSISTENT: "this request id was used before with other content",
    ResultCode.ORDER_NOT_EXIST: "there is no such payment",
    ResultCode.ORDER_IS_CLOSED: "the payment is closed: start again with a new id",
    ResultCode.ORDER_IS_CANCELED: "the payment was canceled: start again with a new id",
    ResultCode.ORDER_STATUS_INVALID: "the state of the payment does not allow this",
    ResultCode.EXPIRED_CODE: "the payment code has expired: ask the buyer for a fresh one",
    ResultCode.INVALID_PAYMENT_CODE: "the payment code is not valid: ask the buyer for a fresh one",
    ResultCode.INVALID_ACCESS_TOKEN: "the access token is not valid: ask the buyer to agree again",
    ResultCode.INVALID_AUTHCODE: "the authorization code is not valid, or was used: start again",
    ResultCode.EXPIRED_AUTHCODE: "the authorization code has expired: start again",
    ResultCode.INVALID_REFRESH_TOKEN: "the refresh token is not valid: ask the buyer to agree again",
    ResultCode.CURRENCY_NOT_SUPPORT: "the contract does not take this currency",
    ResultCode.SETTLE_CONTRACT_NOT_MATCH: "the contract does not settle in this currency",
    ResultCode.USER_BALANCE_NOT_ENOUGH: "the buyer's balance is not enough",
    ResultCode.REFUND_NOT_EXIST: "there is no such refund",
    ResultCode.REFUND_AMOUNT_EXCEED: "more than what is left of the payment",
    ResultCode.REPEAT_REQUEST: "the dispute has been answered",
    ResultCode.TIME_EXCEEDS_LIMIT: "the time for an answer is up",
    ResultCode.AUTH_NOT_FOUND: "this payment is no authorization that waits for captures",
    ResultCode.AUTH_EXPIRED: "the authorization has expired, what was not captured has been let go",
    ResultCode.AUTH_CANCELLED: "the authorization was canceled",
    ResultCode.CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT: "more than what is left of the authorization",
    ResultCode.INCREMENTAL_NOT_SUPPORT: "an amount cannot be changed once some of it was captured",
}
