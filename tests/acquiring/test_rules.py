"""The acquirer's decisions: contracts, windows, and refunds that add up to the last minor unit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from comptoir.acquiring import rules
from comptoir.acquiring.errors import Refused
from comptoir.acquiring.types import (
    CaptureMode,
    ContractView,
    MerchantView,
    PaymentState,
    PaymentView,
    Product,
)
from comptoir.kernel.errors import InvariantBroken
from comptoir.kernel.money import Money

NOW = datetime(2026, 11, 23, 9, 20, tzinfo=UTC)
SHOP = UUID(int=7)


def contract(settlement: str = "EUR", *currencies: str) -> ContractView:
    return ContractView(settlement, currencies or (settlement,), 100, 600, 840, 365)


def merchant(*contracts: ContractView, active: bool = True) -> MerchantView:
    return MerchantView(SHOP, "SHOP", "Shop", "5441", "BE", SHOP, active, contracts)


def payment(amount: int = 1000, mid: int = 7900, margin: int = 79, settlement: int = 1000) -> PaymentView:
    return PaymentView(
        id=UUID(int=1),
        merchant_id=SHOP,
        client_ref="C",
        request_ref="R",
        input_hash=b"",
        product=Product.IN_STORE,
        scenario=None,
        amount=Money(amount, "EUR"),
        settlement=Money(settlement, "USD"),
        settlement_price=Decimal(1),
        state=PaymentState.SUCCESS,
        created_at=NOW,
        finished_at=NOW,
        expires_at=NOW + timedelta(minutes=10),
        wallet_total=Money(mid + margin, "CNY"),
        wallet_margin=Money(margin, "CNY"),
    )


def after(paid: PaymentView, amount: int, parts: rules.Shares) -> PaymentView:
    return replace(
        paid,
        refunded=paid.refunded + amount,
        wallet_refunded=paid.wallet_refunded + parts.mid + parts.margin,
        margin_refunded=paid.margin_refunded + parts.margin,
        settlement_refunded=paid.settlement_refunded + parts.settlement,
    )


sums = st.integers(0, 10**16 - 1)
amounts = st.integers(1, 10**16 - 1)


@given(
    amount=st.integers(1, 10**16 - 1),
    mid=sums,
    margin=sums,
    settlement=st.integers(1, 10**16 - 1),
    data=st.data(),
)
def test_refunds_in_any_slices_give_back_exactly_what_was_taken(
    amount: int, mid: int, margin: int, settlement: int, data: st.DataObject
) -> None:
    paid = payment(amount, mid, margin, settlement)
    cuts = data.draw(st.lists(st.integers(0, amount), max_size=6))
    edges = sorted({0, amount, *cuts})
    for start, end in pairwise(edges):
        parts = rules.refund_shares(paid, Money(end - start, "EUR"))
        assert min(parts) >= 0, "no part of a refund ever goes the other way"
        paid = after(paid, end - start, parts)
        assert paid.wallet_refunded <= mid + margin
        assert paid.settlement_refunded <= settlement
    assert (paid.wallet_refunded, paid.margin_refunded, paid.settlement_refunded) == (
        mid + margin,
        margin,
        settlement,
    )


@given(amount=st.integers(3, 10**9), settlement=st.integers(1, 10**9), data=st.data())
def test_a_refund_that_is_undone_spoils_no_later_one(
    amount: int, settlement: int, data: st.DataObject
) -> None:
    """Another issuer may refuse a refund after a later one was counted: all still adds up in the end."""
    first = data.draw(st.integers(1, amount - 2))
    second = data.draw(st.integers(1, amount - first - 1))
    paid = payment(amount, settlement=settlement)
    parts = [0, 0]
    for which, slice_ in enumerate((first, second)):
        parts[which] = rules.settlement_share(paid, Money(slice_, "EUR"))
        paid = replace(
            paid,
            refunded=paid.refunded + slice_,
            settlement_refunded=paid.settlement_refunded + parts[which],
        )
    paid = replace(
        paid, refunded=paid.refunded - first, settlement_refunded=paid.settlement_refunded - parts[0]
    )
    rest = rules.settlement_share(paid, Money(amount - paid.refunded, "EUR"))
    assert rest >= 0
    assert paid.settlement_refunded + rest == settlement


@given(
    amount=st.integers(2, 10**16 - 1),
    mid=sums,
    margin=sums,
    settlement=st.integers(1, 10**16 - 1),
    data=st.data(),
)
def test_captures_and_refunds_in_any_slices_come_to_the_whole(
    amount: int, mid: int, margin: int, settlement: int, data: st.DataObject
) -> None:
    """Captured in slices, refunded in slices in between: to the last minor unit, and never below zero."""
    held = replace(payment(amount, mid, margin, settlement), capture_mode=CaptureMode.MANUAL)
    while held.captured < amount:
        cut = data.draw(st.integers(1, amount - held.captured) | st.just(amount - held.captured))
        share = rules.capture_shares(held, Money(cut, "EUR"))
        assert min(share) >= 0
        held = captured(held, cut, share)
        exact = [whole * held.captured / Fraction(amount) for whole in (mid, margin, settlement)]
        assert all(
            -1 < have - want <= 0 for have, want in zip(rules.captured_shares(held), exact, strict=True)
        )
        if data.draw(st.booleans()) and held.captured > held.refunded:
            back = data.draw(st.integers(1, held.captured - held.refunded))
            held = after(held, back, rules.refund_shares(held, Money(back, "EUR")))
            assert held.wallet_refunded <= held.wallet_captured
            assert held.settlement_refunded <= held.settlement_captured
        if data.draw(st.integers(0, 3)) == 0:
            cut = amount - held.captured
            held = captured(held, cut, rules.capture_shares(held, Money(cut, "EUR"))) if cut else held
    assert rules.captured_shares(held) == (mid, margin, settlement)
    rest = amount - held.refunded
    if rest:
        held = after(held, rest, rules.refund_shares(held, Money(rest, "EUR")))
    assert (held.wallet_refunded, held.margin_refunded, held.settlement_refunded) == (
        mid + margin,
        margin,
        settlement,
    )


def captured(held: PaymentView, amount: int, share: rules.Shares) -> PaymentView:
    return replace(
        held,
        captured=held.captured + amount,
        wallet_captured=held.wallet_captured + share.mid + share.margin,
        margin_captured=held.margin_captured + share.margin,
        settlement_captured=held.settlement_captured + share.settlement,
    )


AT, END = NOW + timedelta(days=1), NOW + rules.AUTHORIZATION_LIFE
HELD = {
    "capture_mode": CaptureMode.MANUAL, "hold_id": UUID(int=1), "auth_expires_at": END,
}  # fmt: skip
OVER: dict[str, object] = {"state": PaymentState.CANCELLED, "hold_id": None}


@pytest.mark.parametrize(
    ("changed", "now", "code"),
    [
        ({}, AT, None),
        ({}, END - timedelta(microseconds=1), None),
        ({}, END, "acquiring.authorization_expired"),
        ({"capture_mode": None}, AT, "acquiring.authorization_missing"),
        ({"capture_mode": CaptureMode.AUTOMATIC}, AT, "acquiring.authorization_missing"),
        ({"state": PaymentState.PROCESSING, "auth_expires_at": None}, AT, "acquiring.payment_not_paid"),
        ({"state": PaymentState.FAIL, "auth_expires_at": None}, AT, "acquiring.payment_not_paid"),
        (OVER | {"cancelled_at": NOW}, AT, "acquiring.authorization_cancelled"),
        (OVER | {"cancelled_at": NOW}, END, "acquiring.authorization_cancelled"),
        (OVER | {"cancelled_at": END}, END, "acquiring.authorization_expired"),
        (OVER | {"cancelled_at": NOW, "auth_expires_at": None}, AT, "acquiring.authorization_cancelled"),
    ],
)
def test_what_may_still_be_captured(changed: dict[str, object], now: datetime, code: str | None) -> None:
    held = replace(payment(), **{**HELD, **changed})
    assert rules.capture_refusal(held, Money(1, "EUR"), now) == code
    assert rules.update_refusal(held, Money(1, "EUR"), now) == code


def test_a_payment_nobody_paid_cannot_be_refunded() -> None:
    unpaid = replace(payment(), wallet_total=None, wallet_margin=None)
    with pytest.raises(InvariantBroken):
        rules.refund_shares(unpaid, Money(1, "EUR"))


@pytest.mark.parametrize(
    ("shop", "currency", "settlement", "code"),
    [
        (None, "EUR", None, "acquiring.merchant_unknown"),
        (merchant(contract(), active=False), "EUR", None, "acquiring.merchant_inactive"),
        (merchant(), "EUR", None, "acquiring.settlement_not_contracted"),
        (merchant(contract()), "EUR", "USD", "acquiring.settlement_not_contracted"),
        (merchant(contract()), "USD", None, "acquiring.currency_not_supported"),
        (
            merchant(contract("EUR", "EUR", "JPY"), contract("USD", "USD", "JPY")),
            "JPY",
            None,
            "acquiring.settlement_not_contracted",
        ),
    ],
)
def test_contracts_that_do_not_hold(
    shop: MerchantView | None, currency: str, settlement: str | None, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        rules.contract_for(shop, currency, settlement)
    assert refused.value.code == code


def test_the_contract_in_the_payment_currency_needs_no_naming() -> None:
    shop = merchant(contract("EUR", "EUR", "USD"), contract("USD", "USD", "EUR"))
    assert rules.contract_for(shop, "USD", None).settlement_currency == "USD"
    assert rules.contract_for(shop, "USD", "EUR").settlement_currency == "EUR"


def test_expiry_is_the_contracts_or_the_callers_within_bounds() -> None:
    terms = contract()
    assert rules.expiry(terms, Product.IN_STORE, None, NOW) == NOW + timedelta(seconds=600)
    assert rules.expiry(terms, Product.CASHIER, None, NOW) == NOW + timedelta(seconds=840)
    soon = NOW + timedelta(minutes=3)
    assert rules.expiry(terms, Product.IN_STORE, soon, NOW) == soon
    assert rules.expiry(terms, Product.CASHIER, NOW + timedelta(days=9), NOW) == NOW + rules.LONGEST_EXPIRY
    with pytest.raises(Refused):
        rules.expiry(terms, Product.CASHIER, NOW, NOW)


def test_what_makes_a_request_the_same() -> None:
    first = rules.payment_hash("P", Money(100, "EUR"), "CONNECT_WALLET", "28")
    assert rules.payment_hash("P", Money(100, "EUR"), "CONNECT_WALLET", "28") == first
    for other in (
        rules.payment_hash("Q", Money(100, "EUR"), "CONNECT_WALLET", "28"),
        rules.payment_hash("P", Money(101, "EUR"), "CONNECT_WALLET", "28"),
        rules.payment_hash("P", Money(100, "USD"), "CONNECT_WALLET", "28"),
        rules.payment_hash("P", Money(100, "EUR"), "ALIPAY_CN", "28"),
        rules.payment_hash("P", Money(100, "EUR"), "CONNECT_WALLET", None),
        rules.payment_hash("P", Money(100, "EUR"), "CONNECT_WALLET", "28", None, "MANUAL"),
    ):
        assert other != first


@pytest.mark.parametrize(
    ("paid_at", "closes_at"),
    [
        ("2026-11-23T09:20:00+00:00", "2026-11-23T16:15:00+00:00"),
        ("2026-11-23T15:59:59+00:00", "2026-11-23T16:15:00+00:00"),
        # A minute past midnight in China: the window is that whole day and a quarter of an hour.
        ("2026-11-23T16:01:00+00:00", "2026-11-24T16:15:00+00:00"),
        ("2026-12-31T15:00:00+00:00", "2026-12-31T16:15:00+00:00"),
        ("2028-02-28T20:00:00+00:00", "2028-02-29T16:15:00+00:00"),
    ],
)
def test_the_cancel_window(paid_at: str, closes_at: str) -> None:
    paid = replace(payment(), finished_at=datetime.fromisoformat(paid_at))
    closing = datetime.fromisoformat(closes_at)
    assert rules.cancel_refusal(paid, closing - timedelta(seconds=1)) is None
    assert rules.cancel_refusal(paid, closing) == "acquiring.cancel_window"
