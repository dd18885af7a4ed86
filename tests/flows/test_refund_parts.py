"""F11: refunds in any parts, in currencies of none, two and three decimals, settled in euros.

What was paid is compared in the currency that was charged and in its minor units; what that is to the
traveller and to the merchant follows, and comes to the whole in the end.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from comptoir.acquiring.api import errors as acquiring
from comptoir.flows import api as flows
from comptoir.fx import api as fx
from comptoir.standards.ecb_rates import DailyRates
from comptoir.wallet import api as wallet
from tests.conftest import Database
from tests.flows.support import NOW, RATES, Scene, assert_books_hold, make_merchant, make_scene

#: A wallet's cent, a yen and a fils are worth 100, 4.5 and 23 fen or so: each in parts of its own.
CURRENCIES = ("EUR", "JPY", "KWD")
RICH = 10**12


@pytest.fixture(scope="module")
def scene(module_database: Database) -> Scene:
    rates = {code: Decimal(rate) for code, rate in {**RATES, "KWD": "0.338"}.items()}
    fx.record_rates(DailyRates(date(2026, 11, 20), rates), NOW, "test")
    limits = wallet.Limits(no_pin=RICH, payment=RICH, day=RICH)
    made = make_scene(RICH, limits, make_merchant(CURRENCIES))
    made.desk = flows.Desk(3650)
    return made


@pytest.fixture(scope="module")
def paid(scene: Scene) -> Callable[[int, str], flows.Outcome]:
    """Makes another payment; each has a half minute of its own, for its code."""
    numbers: Iterator[int] = itertools.count(1)

    def pay(minor: int, currency: str) -> flows.Outcome:
        number = next(numbers)
        now = NOW + timedelta(seconds=30 * number)
        return scene.one(scene.pay(f"R{number}", minor, currency, code=scene.code(now)), now=now)

    return pay


@given(
    currency=st.sampled_from(CURRENCIES),
    amount=st.integers(1, 100_000),
    parts=st.lists(st.integers(1, 100_000), max_size=4),
    shares=st.lists(st.integers(2, 9), max_size=3),
)
@settings(max_examples=30, deadline=None, derandomize=True)
def test_f11_parts_are_counted_in_what_was_charged(
    scene: Scene,
    paid: Callable[[int, str], flows.Outcome],
    currency: str,
    amount: int,
    parts: list[int],
    shares: list[int],
) -> None:
    """Any parts, also shares that do not divide: accepted up to the amount, to the last minor unit."""
    purse, owed = scene.purse, scene.owed()
    made = paid(amount, currency)
    assume(made.code == flows.OK)  # a fils may be less than a cent: then it is no payment
    assert made.payment is not None
    left, reference = amount, made.payment.request_ref
    asked = [max(amount // share, 1) for share in shares] + parts
    for number, part in enumerate([*asked, amount + 1]):
        before = scene.purse, scene.owed()
        outcome = scene.one(scene.refund(f"{reference}-{number}", made.payment.id, part, currency))
        if part <= left:
            left -= part
            assert outcome.code == flows.OK
            assert scene.purse >= before[0]
            assert scene.owed() <= before[1]
        else:
            assert outcome.code == acquiring.REFUND_EXCEEDS
            assert (scene.purse, scene.owed()) == before
        assert scene.purse <= purse, "nobody gets back more than they gave"
        assert scene.owed() >= owed, "and no merchant gives back more than it got"
    if left:
        last = scene.one(scene.refund(f"{reference}-last", made.payment.id, left, currency))
        assert last.code == flows.OK
    assert (scene.purse, scene.owed()) == (purse, owed)


@pytest.mark.parametrize("currency", CURRENCIES)
def test_f11_no_other_currency_is_taken_for_the_charged_one(
    scene: Scene, paid: Callable[[int, str], flows.Outcome], currency: str
) -> None:
    """Not what the merchant is owed, not what the traveller paid, not one of as many decimals."""
    made = paid(3000, currency)
    assert made.payment is not None
    before = scene.purse, scene.owed()
    for other in {"EUR", "CNY", "JPY", "KWD", "USD"} - {currency}:
        outcome = scene.one(scene.refund(f"{currency}-{other}", made.payment.id, 1, other))
        assert outcome.code == acquiring.REFUND_CURRENCY, other
        assert (scene.purse, scene.owed()) == before
    assert_books_hold()
