"""The wallet's decisions, as tables of cases."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comptoir.kernel.ids import new_id
from comptoir.standards import payment_code
from comptoir.standards.payment_code import STEP, Form, build, window_of
from comptoir.wallet import errors
from comptoir.wallet.errors import LimitsUnfit, PinUnfit
from comptoir.wallet.rules import (
    Verdict,
    check_code,
    check_limits,
    check_pin_form,
    decide,
    device_number,
)
from comptoir.wallet.types import CodeUse, DeviceView, Limits, WalletState, WalletView
from tests.wallet.support import NOW, cny

SEED = bytes(range(32))
NUMBER = 12_345_678
WALLET = WalletView(
    id=new_id(),
    holder_id=new_id(),
    display_name="李娜",
    currency="CNY",
    state=WalletState.ACTIVE,
    no_pin_limit=500_00,
    payment_limit=2_000_00,
    day_limit=5_000_00,
    spent=0,
)
DEVICE = DeviceView(
    number=NUMBER, wallet=WALLET, seed=SEED, active=True, bad_codes=0, locked_until=None, used=frozenset()
)


@pytest.mark.parametrize(
    ("state", "spent", "total", "confirmed", "expected"),
    [
        ("active", 0, 1, False, Verdict.PAY),
        ("active", 0, 500_00, False, Verdict.PAY),
        ("active", 0, 500_01, False, Verdict.WAIT),
        ("active", 0, 500_01, True, Verdict.PAY),
        ("active", 0, 2_000_00, True, Verdict.PAY),
        ("active", 0, 2_000_01, True, errors.PAYMENT_LIMIT),
        ("active", 0, 2_000_01, False, errors.PAYMENT_LIMIT),
        ("active", 4_500_00, 500_00, False, Verdict.PAY),
        ("active", 4_500_00, 500_01, False, errors.DAY_LIMIT),
        ("active", 4_500_01, 500_00, True, errors.DAY_LIMIT),
        ("active", 5_000_00, 1, False, errors.DAY_LIMIT),
        ("frozen", 0, 1, True, errors.WALLET_INACTIVE),
        ("closed", 0, 1, True, errors.WALLET_INACTIVE),
        # What a wallet is, comes before what it may.
        ("frozen", 5_000_00, 9_999_99, False, errors.WALLET_INACTIVE),
    ],
)
def test_may_it_pay(state: str, spent: int, total: int, confirmed: bool, expected: Verdict | str) -> None:
    wallet = msgspec.structs.replace(WALLET, state=WalletState(state), spent=spent)
    assert decide(wallet, cny(total), confirmed) == expected


@given(
    spent=st.integers(0, 10**6),
    total=st.integers(1, 10**6),
    limits=st.lists(st.integers(0, 10**6), min_size=3),
)
def test_no_verdict_lets_more_out_than_a_limit(spent: int, total: int, limits: list[int]) -> None:
    no_pin, payment, day = sorted(limits)[:3]
    wallet = msgspec.structs.replace(
        WALLET, no_pin_limit=no_pin, payment_limit=payment, day_limit=day, spent=spent
    )
    assert (decide(wallet, cny(total), True) is Verdict.PAY) == (total <= payment and spent + total <= day)
    if decide(wallet, cny(total), False) is Verdict.PAY:
        assert total <= no_pin
        assert decide(wallet, cny(total), True) is Verdict.PAY


def shown(made_at: datetime, n: int = 0, form: Form = Form.SHORT) -> str:
    return build(form, NUMBER, SEED, made_at, n)


@pytest.mark.parametrize("form", list(Form))
@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (-2 * STEP, errors.CODE_INVALID),
        (-STEP, None),
        (timedelta(0), None),
        (STEP, None),
        (2 * STEP, errors.CODE_EXPIRED),
        (timedelta(minutes=9), errors.CODE_EXPIRED),
        (timedelta(minutes=30), errors.CODE_INVALID),
    ],
)
def test_a_code_lives_about_a_minute(form: Form, age: timedelta, expected: str | None) -> None:
    verdict = check_code(shown(NOW - age, form=form), DEVICE, NOW)
    wanted = expected or CodeUse(WALLET.id, NUMBER, window_of(NOW - age), 0, NOW)
    assert verdict == wanted


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"active": False}, errors.CODE_INVALID),
        ({"locked_until": NOW + timedelta(seconds=1)}, errors.DEVICE_LOCKED),
        ({"used": frozenset({window_of(NOW) * 10 + 3})}, errors.CODE_USED),
        ({"seed": bytes(32)}, errors.CODE_INVALID),
    ],
)
def test_a_good_code_of_a_bad_device(change: dict[str, Any], expected: str) -> None:
    assert check_code(shown(NOW, 3), msgspec.structs.replace(DEVICE, **change), NOW) == expected


def test_a_lock_ends_and_another_code_of_the_same_half_minute_is_good() -> None:
    unlocked = msgspec.structs.replace(DEVICE, locked_until=NOW)
    assert isinstance(check_code(shown(NOW), unlocked, NOW), CodeUse)
    used = msgspec.structs.replace(DEVICE, used=frozenset({window_of(NOW) * 10 + 3}))
    assert isinstance(check_code(shown(NOW, 4), used, NOW), CodeUse)


def test_both_forms_of_a_code_are_one_code() -> None:
    first, second = (check_code(shown(NOW, 2, form), DEVICE, NOW) for form in Form)
    assert first == second


def test_the_code_of_no_device_is_refused() -> None:
    assert check_code(shown(NOW), None, NOW) == errors.CODE_INVALID


@pytest.mark.parametrize("text", ["", "abc", "134567890123456789", "2" * 200, "２８１２３４５６７８"])
def test_what_is_not_our_code_names_no_device(text: str) -> None:
    assert device_number(text) is None


def test_our_code_names_its_device() -> None:
    assert [device_number(shown(NOW, form=form)) for form in Form] == [NUMBER, NUMBER]


@given(st.integers(0, 10**7 - 1))
def test_a_random_password_is_good_only_if_it_is_one_of_three(otp: int) -> None:
    code = f"28{NUMBER}0{otp:07d}"
    good = {payment_code.one_time_password(SEED, window_of(NOW) + step, 0) for step in (-1, 0, 1)}
    assert isinstance(check_code(code, DEVICE, NOW), CodeUse) == (f"{otp:07d}" in good)


@pytest.mark.parametrize("pin", ["204681", "112233", "121212", "000001", "135790", "123465", "987650"])
def test_fit_pins(pin: str) -> None:
    check_pin_form(pin)


@pytest.mark.parametrize(
    "pin",
    [
        "", "12345", "1234567", "12345a", " 204681", "204681\n", "２０４６８１", "٢٠٤٦٨١",
        "000000", "777777", "123456", "654321", "012345", "456789", "567890", "890123", "210987", "098765",
    ],
)  # fmt: skip
def test_unfit_pins(pin: str) -> None:
    with pytest.raises(PinUnfit) as refused:
        check_pin_form(pin)
    assert refused.value.field == "pin"
    assert not pin or pin not in str(refused.value)


@pytest.mark.parametrize(
    "limits",
    [
        Limits(no_pin=-1, payment=1, day=1),
        Limits(no_pin=2, payment=1, day=3),
        Limits(no_pin=0, payment=2, day=1),
        Limits(no_pin=0, payment=0, day=10**16),
        Limits(no_pin=0, payment=1.5, day=2),  # type: ignore[arg-type]
        Limits(no_pin=0, payment=True, day=2),
    ],
)
def test_limits_that_contradict_each_other(limits: Limits) -> None:
    with pytest.raises(LimitsUnfit):
        check_limits(limits)


def test_limits_may_all_be_nothing() -> None:
    check_limits(Limits(no_pin=0, payment=0, day=0))
