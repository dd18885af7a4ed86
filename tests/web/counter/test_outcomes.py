"""What an assistant sees: a row for every way a payment can stand, and for every code that exists."""

from __future__ import annotations

import inspect
import re
from datetime import timedelta
from decimal import Decimal
from types import ModuleType

import pytest
from msgspec.structs import replace

from comptoir.acquiring.api import PaymentState, PaymentView, Product, RefundState, RefundView
from comptoir.acquiring.api import errors as acquiring
from comptoir.fx.api import errors as fx
from comptoir.kernel.errors import ComptoirError
from comptoir.kernel.ids import new_id
from comptoir.kernel.money import Money
from comptoir.risk.api import errors as risk
from comptoir.wallet.api import errors as wallet
from comptoir.web.counter.outcomes import (
    Advice,
    Reason,
    Refunded,
    Seen,
    Sight,
    refunded,
    refusal,
    seen,
)
from tests.flows.support import NOW

OPEN = PaymentView(
    id=new_id(),
    merchant_id=new_id(),
    client_ref="@staff",
    request_ref="1",
    input_hash=b"",
    product=Product.IN_STORE,
    scenario=None,
    amount=Money(1000, "EUR"),
    settlement=Money(1000, "EUR"),
    settlement_price=Decimal(1),
    state=PaymentState.PROCESSING,
    created_at=NOW,
    expires_at=NOW + timedelta(minutes=10),
)
SUCCESS, FAIL, CANCELLED = PaymentState.SUCCESS, PaymentState.FAIL, PaymentState.CANCELLED


@pytest.mark.parametrize(
    ("changes", "after", "sight", "advice"),
    [
        ({"order_code": "2" * 24}, 0, Sight.TO_SCAN, Advice.WAIT),
        ({"order_code": "2" * 24, "issuer": "SIM_PAYS"}, 0, Sight.TO_SCAN, Advice.WAIT),
        ({"order_code": "2" * 24, "wallet_id": new_id()}, 0, Sight.TO_CONFIRM, Advice.WAIT),
        ({"issuer": "COMPTOIR", "wallet_id": new_id()}, 0, Sight.TO_CONFIRM, Advice.WAIT),
        ({"issuer": "ALIPAY"}, 0, Sight.NO_ANSWER, Advice.WAIT),
        ({"issuer": "ALIPAY"}, 11, Sight.NO_ANSWER, Advice.WAIT),
        ({"order_code": "2" * 24}, 11, Sight.NO_ANSWER, Advice.WAIT),
        ({"issuer": "COMPTOIR", "wallet_id": new_id()}, 10, Sight.NO_ANSWER, Advice.WAIT),
        ({"state": SUCCESS}, 0, Sight.PAID, Advice.NOTHING),
        ({"state": SUCCESS, "refunded": 1000}, 99, Sight.PAID, Advice.NOTHING),
        ({"state": SUCCESS, "hold_id": new_id()}, 0, Sight.HELD, Advice.NOTHING),
        ({"state": CANCELLED}, 0, Sight.CANCELLED, Advice.NOTHING),
        ({"state": FAIL, "failure_code": acquiring.PAYMENT_EXPIRED}, 0, Sight.EXPIRED, Advice.NOTHING),
        ({"state": FAIL, "failure_code": wallet.CANCELLED}, 0, Sight.CANCELLED, Advice.NOTHING),
        ({"state": FAIL, "failure_code": wallet.CODE_EXPIRED}, 0, Sight.REFUSED, Advice.FRESH_CODE),
        ({"state": FAIL, "failure_code": None}, 0, Sight.REFUSED, Advice.ANOTHER_WAY),
    ],
)  # fmt: skip
def test_a_payment_is_seen_as_it_stands(
    changes: dict[str, object], after: int, sight: Sight, advice: Advice
) -> None:
    shown = seen(replace(OPEN, **changes), NOW + timedelta(minutes=after))  # type: ignore[arg-type]
    assert (shown.sight, shown.advice) == (sight, advice)
    assert shown.is_open == (changes.get("state") is None)
    assert (shown.reason is not None) == (sight is Sight.REFUSED)


#: Every code of the house, and what it is at a counter. Codes that no payment there can end with are below.
REFUSALS = {
    wallet.CODE_INVALID: Reason.CODE_WRONG,
    wallet.CODE_EXPIRED: Reason.CODE_OLD,
    wallet.CODE_USED: Reason.CODE_USED,
    wallet.DEVICE_LOCKED: Reason.WALLET_LOCKED,
    wallet.WALLET_INACTIVE: Reason.WALLET_LOCKED,
    wallet.BALANCE_INSUFFICIENT: Reason.TOO_LITTLE,
    wallet.PAYMENT_LIMIT: Reason.LIMIT,
    wallet.DAY_LIMIT: Reason.LIMIT,
    wallet.DECLINED: Reason.DECLINED,
    wallet.REFUSED: Reason.WALLET_SAYS_NO,
    risk.REFUSED: Reason.WALLET_SAYS_NO,
    "acquiring.failed": Reason.WALLET_SAYS_NO,
    fx.AmountTooSmall.code: Reason.AMOUNT_SMALL,
    fx.AmountTooLarge.code: Reason.AMOUNT_LARGE,
    fx.RateMissing.code: Reason.NO_RATE,
    fx.RateStale.code: Reason.NO_RATE,
    acquiring.MERCHANT_UNKNOWN: Reason.SHOP_CLOSED,
    acquiring.MERCHANT_INACTIVE: Reason.SHOP_CLOSED,
    acquiring.CURRENCY_NOT_SUPPORTED: Reason.SHOP_CLOSED,
    acquiring.SETTLEMENT_NOT_CONTRACTED: Reason.SHOP_CLOSED,
    acquiring.SANDBOX_MISMATCH: Reason.SHOP_CLOSED,
}
ENDS = {
    acquiring.PAYMENT_EXPIRED: Sight.EXPIRED,
    wallet.AUTHORIZATION_CLOSED: Sight.EXPIRED,
    acquiring.PAYMENT_CANCELLED: Sight.CANCELLED,
    wallet.CANCELLED: Sight.CANCELLED,
}
REFUNDS = {
    acquiring.REFUND_EXCEEDS: Refunded.EXCEEDS,
    acquiring.REFUND_WINDOW: Refunded.TOO_LATE,
    acquiring.MERCHANT_BALANCE: Refunded.NO_MONEY,
    acquiring.PAYMENT_NOT_PAID: Refunded.NOT_PAID,
    acquiring.REQUEST_REUSED: Refunded.ANOTHER,
}
#: A counter asks for no agreement, capture, dispute, quote or account, and manages no merchants (what is not
#: simulated are agreements and quotes).
NOT_HERE = re.compile(
    r"(acquiring\.(agreement|subscription|auth|refresh|access|authorization|capture|update|dispute|document"
    r"|contract|store|terminal|entry_code|conflict|cancel_|merchant_(exists|invalid)|expiry|refund_currency"
    r"|refused|not_simulated|payment_(unknown|paid))"
    r"|wallet\.(agreement|authorization_unknown|unknown|exists|not_empty|currency|limits|pin|device_unknown"
    r"|codes_exhausted|top_up|issuers|upstream|frozen_by_operator)"
    r"|fx\.(rates|quote|fetch)|risk\.(rules|version|rule|list))"
)


def codes_of(module: ModuleType) -> set[str]:
    """Every dotted code that a context's errors name."""
    constants = {
        value
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, str) and re.fullmatch(r"[a-z]+\.[a-z_]+", value)
    }
    classes = {
        one.code
        for _, one in inspect.getmembers(module, inspect.isclass)
        if issubclass(one, ComptoirError) and one.__module__ == module.__name__
    }
    return constants | classes


@pytest.mark.parametrize("module", [acquiring, wallet, fx, risk])
def test_every_code_that_exists_has_its_place_in_a_table(module: ModuleType) -> None:
    placed = REFUSALS.keys() | ENDS.keys() | REFUNDS.keys()
    lost = {code for code in codes_of(module) - placed if not NOT_HERE.match(code)}
    assert not lost, "say in a table what these are at a counter, or that they cannot be there"


@pytest.mark.parametrize(("code", "reason"), REFUSALS.items())
def test_every_refusal_has_its_reason_and_its_advice(code: str, reason: Reason) -> None:
    shown = refusal(code)
    assert (shown.sight, shown.reason) == (Sight.REFUSED, reason)
    assert shown.advice not in (Advice.NOTHING, Advice.WAIT), "a refusal says what to do"


@pytest.mark.parametrize(("code", "sight"), ENDS.items())
def test_what_ends_without_a_refusal_is_no_refusal(code: str, sight: Sight) -> None:
    assert refusal(code) == Seen(sight, Advice.NOTHING)


def test_a_rule_against_fraud_is_not_explained() -> None:
    assert refusal(risk.REFUSED) == refusal(wallet.REFUSED) == refusal("no.such_code")


REFUND = RefundView(
    id=new_id(),
    merchant_id=OPEN.merchant_id,
    payment_id=OPEN.id,
    client_ref="@staff",
    request_ref="1",
    input_hash=b"",
    amount=Money(1, "EUR"),
    state=RefundState.SUCCESS,
    created_at=NOW,
)


@pytest.mark.parametrize(("code", "ended"), REFUNDS.items())
def test_every_refusal_of_a_refund_is_named(code: str, ended: Refunded) -> None:
    assert refunded(replace(REFUND, state=RefundState.FAIL), code) is ended
    assert refunded(None, code) is ended


def test_a_refund_is_seen_as_it_stands() -> None:
    assert refunded(REFUND, "ok") is Refunded.GIVEN
    assert refunded(replace(REFUND, state=RefundState.PROCESSING), "x") is Refunded.NO_ANSWER
    assert refunded(None, wallet.REFUSED) is Refunded.REFUSED
