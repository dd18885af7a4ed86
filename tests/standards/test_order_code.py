"""Order codes: only an address of this house with 24 digits of the order kind is one."""

from __future__ import annotations

from typing import Any

import pytest

from comptoir.kernel.errors import InvalidValue
from comptoir.standards.order_code import build, new_digits, parse, validate
from comptoir.standards.payment_code import Scheme, classify

BASE = "https://pay.example"
DIGITS = "281688041234567890123456"


def test_new_digits_are_an_order_code_and_differ() -> None:
    made = {new_digits() for _ in range(200)}
    assert len(made) == 200
    assert all(
        classify(digits) is Scheme.ALIPAY_PLUS_ORDER and digits.startswith("28168804") for digits in made
    )
    assert new_digits("300001").startswith("30000104")


@pytest.mark.parametrize(
    ("base", "address"),
    [
        (BASE, f"https://pay.example/c/{DIGITS}"),
        (BASE + "/", f"https://pay.example/c/{DIGITS}"),
        ("https://pay.example/shop", f"https://pay.example/shop/c/{DIGITS}"),
        ("http://localhost:8400", f"http://localhost:8400/c/{DIGITS}"),
        ("http://[::1]:8400", f"http://[::1]:8400/c/{DIGITS}"),
    ],
)
def test_an_order_code_is_an_address_and_comes_back(base: str, address: str) -> None:
    assert build(base, DIGITS) == address
    assert parse(address, base) == DIGITS


def test_the_host_is_compared_without_case() -> None:
    assert parse(f"HTTPS://PAY.example/c/{DIGITS}", BASE) == DIGITS


@pytest.mark.parametrize(
    "text",
    [
        "", DIGITS, f"http://pay.example/c/{DIGITS}", f"https://evil.example/c/{DIGITS}",
        f"https://pay.example.evil.example/c/{DIGITS}", f"https://pay.example@evil.example/c/{DIGITS}",
        f"https://evil.example/?https://pay.example/c/{DIGITS}", f"https://pay.example:444/c/{DIGITS}",
        f"https://pay.example/c/{DIGITS}?x=1", f"https://pay.example/c/{DIGITS}/", f"https://pay.example/c/{DIGITS}\n",
        f"https://pay.example/d/{DIGITS}", f"https://pay.example/c/{DIGITS[:-1]}", f"https://pay.example/c/{DIGITS}0",
        "https://pay.example/c/281688021234567890123456", "https://pay.example/c/241688041234567890123456",
        f"https://[broken/c/{DIGITS}", f"https://pay.example:x/c/{DIGITS}", None, 5,
    ],
)  # fmt: skip
def test_anything_else_is_refused(text: Any) -> None:
    with pytest.raises(InvalidValue):
        parse(text, BASE)


@pytest.mark.parametrize(
    "base", ["", "pay.example", "http://pay.example", "https://pay.example/?a=1", "https://u:p@h"]
)
def test_an_order_code_needs_a_safe_address(base: str) -> None:
    with pytest.raises(InvalidValue):
        build(base, DIGITS)


def test_validate_and_new_digits_refuse() -> None:
    for digits in ("", DIGITS[:-1], "286688021234567890123456", DIGITS + "\n"):
        with pytest.raises(InvalidValue):
            validate(digits)
    for cii in ("246688", "28", "", "2816880"):
        with pytest.raises(InvalidValue):
            new_digits(cii)
