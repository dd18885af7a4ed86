"""The parts that messages share: results, amounts, quotes, the order and its surroundings.

Members that Comptoir does not use are not listed: what is not listed is ignored.
"""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Final

import msgspec

from comptoir.kernel.errors import InvalidValue
from comptoir.kernel.money import Money, Rate, UnknownCurrency, exponent
from comptoir.standards.antom.messages.wire import (
    Digits,
    Max3,
    Max16,
    Max32,
    Max64,
    Max128,
    Max256,
    Max2048,
    Message,
    NotOpen,
    Text32,
    Text64,
    Text256,
    WrongMember,
)
from comptoir.standards.antom.results import ResultCode, ResultStatus

#: resultMessage is at most this long.
MAX_RESULT_MESSAGE: Final = 256

_MAX_DIGITS: Final = 16

#: Currencies with two decimals on the wire whose minor units must be a multiple of 100
#: (docs.antom.com/ac/ref/cc, updated 3 August 2026: whole rupiah).
_WHOLE_UNITS: Final = {"IDR": 100}


class InStorePaymentScenario(Enum):
    """Who shows the code. Older SDKs send the constant's name in capitals."""

    PAYMENT_CODE = "PaymentCode"
    ORDER_CODE = "OrderCode"
    ENTRY_CODE = "EntryCode"

    @classmethod
    def _missing_(cls, value: object) -> InStorePaymentScenario | None:
        if isinstance(value, str):
            for member in cls:
                if member.value.upper() == value.upper():
                    return member
        return None


class ProductCode(Enum):
    """Which product the payment belongs to."""

    CASHIER_PAYMENT = "CASHIER_PAYMENT"
    AGREEMENT_PAYMENT = "AGREEMENT_PAYMENT"
    IN_STORE_PAYMENT = "IN_STORE_PAYMENT"


class Result(Message, frozen=True):
    """How the call went. Of an inquiry, it is the inquiry's result, not the payment's."""

    result_code: Text64
    result_status: ResultStatus
    result_message: str = ""

    @classmethod
    def of(cls, code: ResultCode, message: str = "") -> Result:
        """The result for a code, with its usual message unless one is given."""
        usual = _usual_result(code)
        return (
            msgspec.structs.replace(usual, result_message=message[:MAX_RESULT_MESSAGE]) if message else usual
        )


@cache
def _usual_result(code: ResultCode) -> Result:
    return Result(result_code=code.value, result_status=code.status, result_message=code.message)


class Amount(Message, frozen=True):
    """A currency and its minor units: 1 to 16 digits, no sign, no point, no blank."""

    currency: str
    value: Digits

    def __post_init__(self) -> None:
        value = self.value
        if not (value.isascii() and value.isdigit() and len(value) <= _MAX_DIGITS):
            raise WrongMember("value", f"must be 1 to {_MAX_DIGITS} digits, in minor units")
        try:
            exponent(self.currency)
        except UnknownCurrency:
            raise WrongMember("currency", "must be a three-letter ISO 4217 code") from None
        if int(value) % _WHOLE_UNITS.get(self.currency, 1):
            raise WrongMember("value", f"must end in 00: {self.currency} has whole units only")

    @classmethod
    def of(cls, money: Money) -> Amount:
        """The wire form of an amount that is not negative."""
        return cls(currency=money.currency, value=Digits(money.minor))

    def money(self) -> Money:
        """The amount as the rest of the house knows it."""
        return Money(int(self.value), self.currency)


def must_be_positive(amount: Amount, member: str) -> None:
    """Refuse an amount of nothing where something has to move."""
    if not int(amount.value):
        raise WrongMember(f"{member}.value", "must be above zero")


class Quote(Message, frozen=True):
    """An exchange rate that was promised: 1 unit of AAA is `quote_price` of BBB in ``AAA/BBB``."""

    quote_currency_pair: Max16
    quote_price: Decimal
    quote_id: Max64 | None = None
    quote_start_time: str | None = None
    quote_expiry_time: str | None = None
    guaranteed: bool | None = None

    def __post_init__(self) -> None:
        if not self.quote_price.is_finite() or self.quote_price <= 0:
            raise WrongMember("quotePrice", "must be a number above zero")

    def rate(self) -> Rate:
        """The price with its direction. Raises WrongMember where pair or price are none."""
        base, _, quote = self.quote_currency_pair.partition("/")
        try:
            return Rate(base, quote, self.quote_price)
        except UnknownCurrency:
            raise WrongMember("quoteCurrencyPair", "must be two ISO 4217 codes, AAA/BBB") from None
        except InvalidValue:
            raise WrongMember("quotePrice", "has too many digits") from None


class Store(Message, frozen=True):
    """The shop, in the merchant's own numbering."""

    reference_store_id: Max64 | None = None
    store_name: Max256 | None = None
    store_mcc: Max32 | None = msgspec.field(default=None, name="storeMCC")
    store_display_name: Max64 | None = None
    store_terminal_id: Max64 | None = None
    store_operator_id: Max64 | None = None
    store_phone_no: Max32 | None = None


class Merchant(Message, frozen=True):
    """The merchant the order is placed with, in the caller's own numbering."""

    reference_merchant_id: Text32
    merchant_mcc: Max32 | None = msgspec.field(default=None, name="merchantMCC")
    merchant_name: Max256 | None = None
    merchant_display_name: Max64 | None = None
    store: Store | None = None


class Goods(Message, frozen=True):
    """One line of the order."""

    reference_goods_id: Text64
    goods_name: Text256
    goods_category: Max64 | None = None
    goods_unit_amount: Amount | None = None
    goods_quantity: Digits | None = None


class Env(Message, frozen=True):
    """Where the buyer or the till is."""

    terminal_type: Max16 | None = None
    os_type: Max16 | None = None
    user_agent: str | None = None
    client_ip: Max64 | None = None
    store_terminal_id: Max64 | None = None
    store_terminal_request_time: Max64 | None = None


class Order(Message, frozen=True):
    """What is paid for. Its amount may be in another currency than the payment's."""

    reference_order_id: Text64
    order_description: Text256
    order_amount: Amount
    merchant: Merchant | None = None
    goods: list[Goods] | None = None
    env: Env | None = None
    extend_info: Max2048 | None = None
    need_declaration: NotOpen | None = None
    tax_calculation_id: NotOpen | None = None

    def __post_init__(self) -> None:
        must_be_positive(self.order_amount, "orderAmount")


class PaymentMethod(Message, frozen=True):
    """How the buyer pays. `payment_method_id` is the scanned code or an access token: never print it."""

    payment_method_type: Text64
    payment_method_id: Max128 | None = None
    customer_id: Max64 | None = None

    def __repr__(self) -> str:
        return f"PaymentMethod(payment_method_type={self.payment_method_type!r}, …)"


class PaymentFactor(Message, frozen=True):
    """What kind of payment is meant."""

    in_store_payment_scenario: InStorePaymentScenario | None = None
    is_authorization: bool | None = None
    capture_mode: CaptureMode | None = None
    is_payment_evaluation: NotOpen | None = None
    store_payment_method_for_buyer: NotOpen | None = None


class CaptureMode(Enum):
    """Who captures an authorization: we, at once (an empty text means that, too), or the merchant."""

    AUTOMATIC = "AUTOMATIC"
    MANUAL = "MANUAL"

    @classmethod
    def _missing_(cls, value: object) -> CaptureMode | None:
        return cls.AUTOMATIC if value == "" else None


class SettlementStrategy(Message, frozen=True):
    """The currency the merchant wants to be paid out in."""

    settlement_currency: Max3


class CustomizedInfo(Message, frozen=True):
    """Five texts of the shop's own."""

    customized_field1: Max2048 | None = None
    customized_field2: Max2048 | None = None
    customized_field3: Max2048 | None = None
    customized_field4: Max2048 | None = None
    customized_field5: Max2048 | None = None


class RedirectActionForm(Message, frozen=True):
    """Where the buyer is to be sent."""

    method: str
    redirect_url: str
    action_form_type: str


class CodeDetail(Message, frozen=True):
    """One form of a code that the shop shows: its text, or an address of its picture."""

    code_value: str
    display_type: str
    code_value_type: str | None = None


class OrderCodeForm(Message, frozen=True):
    """The code of one order, for the traveller to scan."""

    expire_time: str
    code_details: list[CodeDetail]
    payment_method_type: str | None = None


class PspCustomerInfo(Message, frozen=True):
    """Who paid, as far as the wallet says."""

    psp_name: str | None = None
    psp_customer_id: str | None = None
    display_customer_id: str | None = None


class Transaction(Message, frozen=True):
    """One refund, capture, change of the amount, or the cancellation of a payment, in the inquiry's list."""

    transaction_result: Result
    transaction_id: str
    transaction_type: str
    transaction_status: str
    transaction_amount: Amount
    transaction_request_id: str
    transaction_time: str | None = None
    gross_settlement_amount: Amount | None = None
    settlement_quote: Quote | None = None
