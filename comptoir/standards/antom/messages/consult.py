"""consult: which ways to pay there are for an amount. Request and response."""

from __future__ import annotations

from enum import Enum

from comptoir.standards.antom.messages.shared import (
    Amount,
    Env,
    PaymentFactor,
    ProductCode,
    Result,
    SettlementStrategy,
    must_be_positive,
)
from comptoir.standards.antom.messages.wire import Max32, Max64, Message, WrongMember

_TERMINALS = frozenset({"WEB", "WAP", "APP", "MINI_APP"})


class DisableReason(Enum):
    """Why an option cannot be used now. Those of the documentation that Comptoir has a use for."""

    CURRENCY = "CHANNEL_NOT_SUPPORT_CURRENCY"
    LIMIT = "EXCEED_CHANNEL_LIMIT_RULE"
    DEGRADED = "SERVICE_DEGRADE"
    DISABLED = "CHANNEL_DISABLE"


class ConsultRequest(Message, frozen=True):
    """Ask for the ways to pay. In a shop, `env` may leave terminalType out."""

    product_code: ProductCode
    payment_amount: Amount
    env: Env | None = None
    settlement_strategy: SettlementStrategy | None = None
    payment_factor: PaymentFactor | None = None
    allowed_payment_methods: list[Max64] | None = None
    blocked_payment_methods: list[Max64] | None = None
    merchant_account_id: Max32 | None = None

    def __post_init__(self) -> None:
        must_be_positive(self.payment_amount, "paymentAmount")
        terminal = self.env.terminal_type if self.env else None
        if terminal not in _TERMINALS and (terminal or self.product_code is ProductCode.CASHIER_PAYMENT):
            raise WrongMember("env.terminalType", f"must be one of {', '.join(sorted(_TERMINALS))}")


class AmountLimit(Message, frozen=True):
    """The most, in minor units of the currency the limits are listed under."""

    max: str


class AmountLimits(Message, frozen=True):
    """What is usually let through at once, and on one day."""

    single_limit: AmountLimit
    day_limit: AmountLimit


class PaymentOption(Message, frozen=True):
    """One way to pay; `payment_method_type` is what `pay` takes. `disable_reason` when not `enabled`."""

    payment_method_type: str
    payment_method_category: str
    enabled: bool
    disable_reason: DisableReason | None = None
    supported_currencies: list[str] | None = None
    amount_limit_info_map: dict[str, AmountLimits] | None = None


class ConsultResponse(Message, frozen=True):
    """Every way there is, those that cannot be used now too."""

    result: Result
    payment_options: list[PaymentOption] | None = None
