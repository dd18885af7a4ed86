"""Entry codes: only an address of this house with a reference is one; and who looks at their page."""

from __future__ import annotations

from typing import Any

import pytest

from comptoir.kernel.errors import InvalidValue
from comptoir.standards import wallet_browser
from comptoir.standards.entry_code import build, new_ref, parse, validate
from comptoir.standards.wallet_browser import WalletBrowser

BASE = "https://pay.example"
REF = "AbCdEfGhIjKlMnOpQr_-12"


def test_new_references_have_128_bits_and_differ() -> None:
    made = {new_ref() for _ in range(200)}
    assert len(made) == 200
    assert all(validate(ref) == ref and len(ref) * 6 >= 128 for ref in made)


@pytest.mark.parametrize("base", [BASE, BASE + "/", "https://pay.example/shop", "http://localhost:8400"])
def test_an_entry_code_is_an_address_and_comes_back(base: str) -> None:
    assert build(base, REF) == f"{base.rstrip('/')}/s/{REF}"
    assert parse(build(base, REF), base) == REF


@pytest.mark.parametrize(
    "text",
    [
        "", REF, f"http://pay.example/s/{REF}", f"https://evil.example/s/{REF}", f"https://pay.example/c/{REF}",
        f"https://pay.example@evil.example/s/{REF}", f"https://pay.example/s/{REF}?x=1",
        f"https://pay.example/s/{REF}\n",
        f"https://pay.example/s/{REF[:-1]}", f"https://pay.example/s/{REF}0", f"https://pay.example/s/{REF[:-1]}+",
        None,
    ],
)  # fmt: skip
def test_anything_else_is_refused(text: Any) -> None:
    with pytest.raises(InvalidValue):
        parse(text, BASE)


def test_a_printed_code_needs_a_safe_address_and_a_reference() -> None:
    for base, ref in (("http://pay.example", REF), ("pay.example", REF), (BASE, "short")):
        with pytest.raises(InvalidValue):
            build(base, ref)


@pytest.mark.parametrize(
    ("user_agent", "browser"),
    [
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_1) Mobile AlipayClient/10.8.0", WalletBrowser.ALIPAY),
        ("Mozilla/5.0 (Linux; Android 16) Chrome/140 AlipayConnect", WalletBrowser.ALIPAY_PLUS),
        ("Mozilla/5.0 (Linux; Android 16) ComptoirWallet/1.0", WalletBrowser.COMPTOIR),
        ("Mozilla/5.0 (Linux; Android 16) Chrome/140 Mobile Safari/537.36", None),
        ("", None),
    ],
)
def test_a_wallets_browser_is_known_by_its_name(user_agent: str, browser: WalletBrowser | None) -> None:
    assert wallet_browser.parse(user_agent) is browser
