"""subscriptions/*: requests and responses, and notifySubscription."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from comptoir.kernel.money import UnknownCurrency, exponent
from comptoir.standards.antom.errors import ParamIllegal
from comptoir.standards.antom.messages.agreements import check_page
from comptoir.standards.antom.messages.payments import check_url
from comptoir.standards.antom.messages.shared import (
    Amount,
    PaymentMethod,
    Result,
    SettlementStrategy,
    must_be_positive,
)
from comptoir.standards.antom.messages.wire import (
    Max3,
    Max64,
    Max256,
    Max2048,
    Message,
    NotOpen,
    Text64,
    Text256,
    WrongMember,
)
from comptoir.standards.antom.times import parse_time


class PeriodTypeName(Enum):
    """The unit of a period. DAY is in the documentation, not in the SDKs."""

    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    QUARTER = "QUARTER"
    HALF_YEAR = "HALF_YEAR"
    YEAR = "YEAR"


class SubscriptionStatusName(Enum):
    """How a subscription stands that a buyer has approved, or that was withdrawn before."""

    ACTIVE = "ACTIVE"
    CANCELLED = "CANCELLED"
    TERMINATED = "TERMINATED"


class PaymentStatusName(Enum):
    """How a payment stands."""

    SUCCESS = "SUCCESS"
    FAIL = "FAIL"
    PROCESSING = "PROCESSING"
    CANCELLED = "CANCELLED"


class CancellationType(Enum):
    """CANCEL: renew no more. TERMINATE: over at once."""

    CANCEL = "CANCEL"
    TERMINATE = "TERMINATE"


class PeriodRule(Message, frozen=True):
    """How often a subscription renews."""

    period_type: PeriodTypeName
    period_count: int


class TrialRule(Message, frozen=True):
    """Another amount for some periods, counted from 1; without an end for one."""

    trial_amount: Amount
    trial_start_period: int
    trial_end_period: int | None = None

    @property
    def last(self) -> int:
        """The last period that it is for."""
        return self.trial_start_period if self.trial_end_period is None else self.trial_end_period


class OrderInfo(Message, frozen=True):
    """What is sold; shown to people."""

    order_amount: Amount | None = None


class SubscriptionCreateRequest(Message, frozen=True):
    """Ask a buyer to be charged every period. `subscription_request_id` is the idempotency key."""

    subscription_request_id: Text64
    subscription_description: Text256
    subscription_redirect_url: Max2048
    subscription_start_time: Text64
    period_rule: PeriodRule
    payment_method: PaymentMethod
    payment_amount: Amount
    subscription_notification_url: Max2048 | None = None
    payment_notification_url: Max2048 | None = None
    subscription_end_time: Max64 | None = None
    subscription_expiry_time: Max64 | None = None
    order_info: OrderInfo | None = None
    settlement_strategy: SettlementStrategy | None = None
    trials: list[TrialRule] | None = None
    allow_retry: bool | None = None
    max_amount_floor: Amount | None = None
    allow_accumulate: NotOpen | None = None
    merchant_account_id: Max64 | None = None

    def __post_init__(self) -> None:
        check_page(self.subscription_redirect_url, "subscriptionRedirectUrl")
        check_url(self.subscription_notification_url, "subscriptionNotificationUrl")
        check_url(self.payment_notification_url, "paymentNotificationUrl")
        must_be_positive(self.payment_amount, "paymentAmount")
        for member in ("subscription_start_time", "subscription_end_time", "subscription_expiry_time"):
            check_time(getattr(self, member), _wire(member))
        self._check_trials()
        floor = self.max_amount_floor
        if floor is not None and floor.currency != self.payment_amount.currency:
            raise WrongMember("maxAmountFloor.currency", "must be that of paymentAmount")

    def _check_trials(self) -> None:
        """Each period has one amount, in the one currency."""
        free = 1
        for one in sorted(self.trials or (), key=lambda trial: trial.trial_start_period):
            if not 1 <= one.trial_start_period <= one.last:
                raise WrongMember("trials", "must have 1 <= trialStartPeriod <= trialEndPeriod")
            if one.trial_amount.currency != self.payment_amount.currency:
                raise WrongMember("trials", "must be in the currency of paymentAmount")
            if one.trial_start_period < free:
                raise WrongMember("trials", "must not overlap")
            free = one.last + 1


class SubscriptionCreateResponse(Message, frozen=True):
    """S: send the buyer to `normal_url`."""

    result: Result
    normal_url: str | None = None


class SubscriptionChangeRequest(Message, frozen=True):
    """Other terms. `subscription_change_request_id` is the idempotency key."""

    subscription_change_request_id: Text64
    subscription_id: Text64
    subscription_description: Max256 | None = None
    subscription_start_time: NotOpen | None = None
    subscription_end_time: Max64 | None = None
    period_rule: PeriodRule | None = None
    payment_amount: Amount | None = None
    payment_amount_difference: NotOpen | None = None
    allow_accumulate: NotOpen | None = None

    def __post_init__(self) -> None:
        if self.payment_amount is not None:
            must_be_positive(self.payment_amount, "paymentAmount")
        check_time(self.subscription_end_time, "subscriptionEndTime")


class ProrationSettings(Message, frozen=True):
    """An amount to be paid or given back at once."""

    proration_mode: NotOpen | None = None
    custom_amount: Amount | None = None


class SubscriptionUpdateRequest(Message, frozen=True):
    """Other terms. `subscription_update_request_id` is the idempotency key."""

    subscription_update_request_id: Text64
    subscription_id: Text64
    subscription_description: Max256 | None = None
    period_rule: PeriodRule | None = None
    payment_amount: Amount | None = None
    subscription_end_time: Max64 | None = None
    proration_settings: ProrationSettings | None = None
    next_subscription_date: Max64 | None = None

    def __post_init__(self) -> None:
        if self.payment_amount is not None:
            must_be_positive(self.payment_amount, "paymentAmount")
        check_time(self.subscription_end_time, "subscriptionEndTime")
        check_time(self.next_subscription_date, "nextSubscriptionDate")


class SubscriptionCancelRequest(Message, frozen=True):
    """End a subscription. `subscription_id` wins over `subscription_request_id`; one must be there."""

    cancellation_type: CancellationType
    subscription_id: Max64 | None = None
    subscription_request_id: Max64 | None = None

    def __post_init__(self) -> None:
        need_subscription(self.subscription_id, self.subscription_request_id)


class SubscriptionInquiryRequest(Message, frozen=True):
    """Ask how a subscription stands. `subscription_id` wins over `subscription_request_id`."""

    subscription_id: Max64 | None = None
    subscription_request_id: Max64 | None = None
    merchant_account_id: Max64 | None = None

    def __post_init__(self) -> None:
        need_subscription(self.subscription_id, self.subscription_request_id)


class SubscriptionListRequest(Message, frozen=True):
    """Ask for the merchant's subscriptions that start in a time, by default the last 7 days.

    Each list names what may be; without it, or empty, all may. (docs.antom.com "inquireSubscriptionList", and
    the SDK, November 2026.)
    """

    start_time_from: Max64 | None = None
    start_time_to: Max64 | None = None
    statuses: list[SubscriptionStatusName] | None = None
    payment_method_types: list[Max64] | None = None
    currencies: list[Max3] | None = None
    period_types: list[PeriodTypeName] | None = None
    current_page: int = 1
    page_size: int = 10
    merchant_account_id: Max64 | None = None

    def __post_init__(self) -> None:
        check_time(self.start_time_from, "startTimeFrom")
        check_time(self.start_time_to, "startTimeTo")
        for currency in self.currencies or ():
            check_currency(currency)
        check_page_size(self.current_page, self.page_size)


class SubscriptionPaymentsRequest(Message, frozen=True):
    """Ask for the payments of a subscription: of the statuses in `payment_statuses`, or all."""

    subscription_id: Text64
    payment_statuses: list[PaymentStatusName] | None = None
    current_page: int = 1
    page_size: int = 10
    merchant_account_id: Max64 | None = None

    def __post_init__(self) -> None:
        check_page_size(self.current_page, self.page_size)


class SubscriptionAnswer(Message, frozen=True):
    """S again, however often a change or an end is repeated."""

    result: Result


class SubscriptionInquiryResponse(Message, frozen=True):
    """`subscription_status` is absent until the buyer has approved."""

    result: Result
    subscription_id: str | None = None
    subscription_request_id: str | None = None
    subscription_status: str | None = None
    period_rule: PeriodRule | None = None
    payment_amount: Amount | None = None
    subscription_start_time: str | None = None
    subscription_end_time: str | None = None
    allow_retry: str | None = None
    max_amount_floor: Amount | None = None


class SubscriptionInfo(Message, frozen=True):
    """A subscription in an inquiry."""

    subscription_id: str
    subscription_request_id: str
    subscription_description: str
    period_rule: PeriodRule
    payment_method: PaymentMethod
    payment_amount: Amount
    subscription_start_time: str
    status: str | None = None
    subscription_end_time: str | None = None
    current_period_start: str | None = None
    current_period_end: str | None = None
    current_phase_no: int | None = None
    allow_retry: bool | None = None
    max_amount_floor: Amount | None = None


class Paginator(Message, frozen=True, omit_defaults=False):
    """Which page of how many."""

    current_page: int
    page_size: int
    total_page: int
    total_count: int


class InquireSubscriptionResponse(Message, frozen=True):
    """One subscription."""

    result: Result
    subscription: SubscriptionInfo | None = None


class InquireSubscriptionListResponse(Message, frozen=True):
    """A page of subscriptions, the earliest start first."""

    result: Result
    subscriptions: list[SubscriptionInfo] | None = None
    paginator: Paginator | None = None


class PhasePayment(Message, frozen=True):
    """What a phase was charged with. `payment_time` when it was paid; `dispute_id` of its newest dispute."""

    payment_id: str
    status: str
    phase_no: int
    payment_method: PaymentMethod
    payment_amount: Amount
    payment_time: str | None = None
    dispute_id: str | None = None


class InquireSubscriptionPaymentResponse(Message, frozen=True):
    """A page of a subscription's payments, those that failed too, the oldest first."""

    result: Result
    payments: list[PhasePayment] | None = None
    paginator: Paginator | None = None


class SubscriptionNotification(Message, frozen=True):
    """notifySubscription."""

    subscription_notification_type: str
    result: Result
    subscription_request_id: str
    subscription_id: str
    subscription_status: str
    subscription_start_time: str
    period_rule: PeriodRule
    subscription_end_time: str | None = None


def check_time(text: str | None, member: str) -> None:
    """Refuse a time that is none."""
    if text:
        try:
            parse_time(text, member)
        except ParamIllegal:
            raise WrongMember(member, "must be ISO 8601 with an offset") from None


def check_currency(code: str) -> None:
    """Refuse a currency that is none."""
    try:
        exponent(code)
    except UnknownCurrency:
        raise WrongMember("currencies", "must be three-letter ISO 4217 codes") from None


def time_or_none(text: str | None, member: str) -> datetime | None:
    """The instant that a checked member names."""
    return parse_time(text, member) if text else None


def check_page_size(current: int, size: int) -> None:
    """Refuse a page that cannot be."""
    if not 1 <= current <= 100_000:
        raise WrongMember("currentPage", "must be 1 to 100000")
    if not 1 <= size <= 100:
        raise WrongMember("pageSize", "must be 1 to 100")


def need_subscription(subscription_id: str | None, request_id: str | None) -> None:
    """Refuse a request about nothing."""
    if not subscription_id and not request_id:
        raise WrongMember("subscriptionId", "is missing, and so is subscriptionRequestId: one is needed")


def _wire(member: str) -> str:
    first, *rest = member.split("_")
    return first + "".join(word.capitalize() for word in rest)
