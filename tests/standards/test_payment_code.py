"""Payment codes: fixed vectors made with openssl, the window rules, and everybody else's codes."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comptoir.kernel.errors import InvalidValue
from comptoir.standards.payment_code import (
    STEP,
    Form,
    NotOurs,
    PresentedCode,
    Scheme,
    build,
    classify,
    expires_at,
    matching_window,
    one_time_password,
    parse,
    truncate,
    was_valid,
    window_of,
)

SEED = bytes(range(32))
#: The first instant of window 59979640.
START = datetime(2027, 1, 8, 6, 20, tzinfo=UTC)
WINDOW = 59_979_640

INSTANTS = st.integers(0, 10**15).map(
    lambda us: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
)


# Computed with `openssl dgst -sha256 -mac HMAC -macopt hexkey:…` and shell arithmetic.
@pytest.mark.parametrize(
    ("seed", "window", "n", "otp"),
    [
        (SEED, 0, 0, "9077643"),
        (SEED, WINDOW, 0, "7570382"),
        (SEED, WINDOW, 9, "1246710"),
        (SEED, WINDOW + 1, 0, "0731841"),
        ((1).to_bytes(32, "big"), WINDOW, 3, "3964000"),
    ],
)
def test_fixed_vectors(seed: bytes, window: int, n: int, otp: str) -> None:
    assert one_time_password(seed, window, n) == otp


def test_truncation_gives_the_published_values() -> None:
    """RFC 6238 appendix B (SHA-256, 8 digits) and RFC 4226 appendix D (SHA-1, 6 digits)."""
    secret = b"12345678901234567890"
    seconds = {59: "46119246", 1111111109: "68084774", 1111111111: "67062674", 1234567890: "91819424",
               2000000000: "90698825", 20000000000: "77737706"}  # fmt: skip
    for second, expected in seconds.items():
        message = (second // 30).to_bytes(8, "big")
        assert truncate(hmac.digest((secret * 2)[:32], message, hashlib.sha256), 8) == expected
    hotp = [
        "755224",
        "287082",
        "359152",
        "969429",
        "338314",
        "254676",
        "287922",
        "162583",
        "399871",
        "520489",
    ]
    assert [truncate(hmac.digest(secret, i.to_bytes(8, "big"), hashlib.sha1), 6) for i in range(10)] == hotp


def test_both_forms_print_one_uin() -> None:
    assert build(Form.SHORT, 1234567, SEED, START, 0) == "28" + "01234567" + "0" + "7570382"
    assert build(Form.ALIPAY_PLUS, 1234567, SEED, START, 9) == "286688" + "02" + "01234567" + "9" + "1246710"
    assert build(Form.SHORT, 7, SEED, START, 0, prefix="30") == "30" + "00000007" + "0" + "7570382"
    assert build(Form.ALIPAY_PLUS, 7, SEED, START, 0, cii="251001").startswith("25100102")


@given(st.sampled_from(Form), st.integers(0, 10**8 - 1), INSTANTS, st.integers(0, 9))
def test_a_code_comes_back_as_it_was_made(form: Form, device: int, at: datetime, n: int) -> None:
    text = build(form, device, SEED, at, n)
    presented = parse(text)
    assert len(text) == form.value
    assert (presented.form, presented.device_number, presented.n) == (form, device, n)
    assert matching_window(presented, SEED, at) == window_of(at)


@given(INSTANTS, st.integers(-4000, 4000))
def test_a_code_is_true_in_its_window_the_next_and_one_early(at: datetime, shift: int) -> None:
    presented = parse(build(Form.SHORT, 1, SEED, at, 0))
    now = at + timedelta(milliseconds=shift * 25)
    late = window_of(now) - window_of(at)
    assert matching_window(presented, SEED, now) == (window_of(at) if -1 <= late <= 1 else None)


@given(INSTANTS)
def test_expires_at_is_the_first_instant_of_refusal(at: datetime) -> None:
    presented = parse(build(Form.SHORT, 1, SEED, at, 0))
    end = expires_at(at)
    assert timedelta(seconds=30) < end - at <= timedelta(seconds=60)
    assert matching_window(presented, SEED, end - timedelta(microseconds=1)) == window_of(at)
    assert matching_window(presented, SEED, end) is None


def test_a_code_of_another_seed_counter_or_guess_is_not_true() -> None:
    presented = parse(build(Form.SHORT, 1, SEED, START, 0))
    assert matching_window(presented, bytes(32), START) is None
    assert matching_window(PresentedCode(Form.SHORT, 1, 1, presented.otp), SEED, START) is None
    wrong = f"{(int(presented.otp) + 1) % 10**7:07d}"
    assert matching_window(PresentedCode(Form.SHORT, 1, 0, wrong), SEED, START) is None


@given(INSTANTS, st.integers(-5, 40))
def test_a_code_of_the_last_ten_minutes_is_known_as_old_and_never_as_good(at: datetime, late: int) -> None:
    presented = parse(build(Form.SHORT, 1, SEED, at, 0))
    now = at + late * STEP
    assert was_valid(presented, SEED, now) == (2 <= late <= 21)
    assert not was_valid(presented, bytes(32), now)


def test_the_counter_makes_ten_different_codes_in_one_window() -> None:
    codes = {build(Form.SHORT, 1, SEED, START, n) for n in range(10)}
    assert len({code[-7:] for code in codes}) == 10


def test_three_guesses_of_ten_million_are_true() -> None:
    true = [otp for w in (-1, 0, 1) for otp in [one_time_password(SEED, WINDOW + w, 0)]]
    assert [matching_window(PresentedCode(Form.SHORT, 1, 0, otp), SEED, START) for otp in true] == [
        WINDOW - 1, WINDOW, WINDOW + 1
    ]  # fmt: skip


def test_a_window_is_thirty_seconds_from_the_epoch_exactly() -> None:
    assert window_of(START) == WINDOW
    assert window_of(START - timedelta(microseconds=1)) == WINDOW - 1
    assert window_of(START + STEP) == WINDOW + 1
    assert window_of(START.astimezone()) == WINDOW


@pytest.mark.parametrize(
    ("code", "scheme"),
    [
        ("134512345678901234", Scheme.WECHAT_PAY),
        ("101234567890123456", Scheme.WECHAT_PAY),
        ("151234567890123456", Scheme.WECHAT_PAY),
        ("161234567890123456", Scheme.UNKNOWN),
        ("1345123456789012345", Scheme.UNKNOWN),
        ("6212345678901234567", Scheme.UNIONPAY),
        ("621234567890123456", Scheme.UNKNOWN),
        ("2893612204263667830", Scheme.ALIPAY_PLUS_19),
        ("281010897274821897274821", Scheme.ALIPAY_PLUS_CGCP),
        ("251001020123456789012345", Scheme.ALIPAY_PLUS),
        ("281001040123456789012345", Scheme.ALIPAY_PLUS_ORDER),
        ("28123456789012345", Scheme.ALIPAY),
        ("281234567890123456", Scheme.ALIPAY),
        ("2881234567890123456", Scheme.ALIPAY),
        ("2891234567890512345", Scheme.ALIPAY),
        ("2512345678901234", Scheme.ALIPAY),
        ("30123456789012345678901", Scheme.ALIPAY),
        ("241234567890123456", Scheme.UNKNOWN),
        ("311234567890123456", Scheme.UNKNOWN),
        ("281234567890123", Scheme.UNKNOWN),
        ("2812345678901234567890123", Scheme.UNKNOWN),
    ],
)
def test_classify(code: str, scheme: Scheme) -> None:
    assert classify(code) is scheme


@pytest.mark.parametrize(
    "code",
    ["134512345678901234", "6212345678901234567", "2893612204263667830", "281010897274821897274821",
     "251001020123456789012345", "286689020123456789012345", "286688040123456789012345", "291234567890123456",
     "28123456789012345"],
)  # fmt: skip
def test_a_code_of_another_issuer_is_named_and_not_repeated(code: str) -> None:
    with pytest.raises(NotOurs) as refusal:
        parse(code)
    assert refusal.value.scheme is classify(code)
    assert code not in str(refusal.value)


@pytest.mark.parametrize(
    "text",
    ["", "28", "28123456789012345a", " 281234567890123456", "281234567890123456\n", "２８1234567890123456",
     "28123456789012345６", "-28123456789012345", "281234567890123456" * 2, None, 281234567890123456,
     b"281234567890123456"],
)  # fmt: skip
def test_what_is_no_payment_code_is_refused(text: Any) -> None:
    with pytest.raises(InvalidValue) as refusal:
        parse(text)
    assert not isinstance(refusal.value, NotOurs)


@given(st.text("0123456789", max_size=30))
def test_every_string_of_digits_is_read_or_refused(text: str) -> None:
    try:
        presented = parse(text)
    except InvalidValue:
        assert not (len(text) == 18 and text.startswith("28"))
    else:
        assert text.endswith(f"{presented.device_number:08d}{presented.n}{presented.otp}")


def test_the_password_is_in_no_repr() -> None:
    presented = parse(build(Form.SHORT, 1, SEED, START, 0))
    assert presented.otp not in repr(presented)


@pytest.mark.parametrize(
    "arguments",
    [
        {"device_number": -1}, {"device_number": 10**8}, {"device_number": True}, {"device_number": "1"},
        {"n": -1}, {"n": 10}, {"n": True}, {"n": "1"},
        {"seed": b"short"}, {"seed": "x" * 32}, {"at": START.replace(tzinfo=None)},
        {"at": START.replace(year=1969)},
        {"prefix": "24"}, {"prefix": "31"}, {"prefix": "2"}, {"prefix": "288"},
        {"cii": "246688"}, {"cii": "28668"}, {"cii": "28668a"}, {"cii": "28668\n"},
    ],
)  # fmt: skip
def test_build_refuses(arguments: dict[str, Any]) -> None:
    good: dict[str, Any] = {"form": Form.SHORT, "device_number": 1, "seed": SEED, "at": START, "n": 0}
    with pytest.raises(InvalidValue):
        build(**{**good, **arguments})
