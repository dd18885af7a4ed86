"""The numbers in docs/concepts/codes.md are what the code computes."""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import UTC, datetime
from pathlib import Path

from comptoir.standards.payment_code import (
    DOMAIN,
    SEED_BYTES,
    Form,
    build,
    expires_at,
    matching_window,
    parse,
    truncate,
    window_of,
)

PAGE = (Path(__file__).parents[2] / "docs" / "concepts" / "codes.md").read_text("utf-8")
SEED = bytes(range(32))
MADE = datetime(2027, 1, 8, 6, 20, 17, tzinfo=UTC)
DEVICE = 12345678


def row(*cells: object) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def test_the_worked_code() -> None:
    window = window_of(MADE)
    digests = [
        hmac.digest(SEED, window.to_bytes(8, "big") + bytes([n]) + DOMAIN, hashlib.sha256) for n in (0, 9)
    ]
    offsets = [digest[-1] & 15 for digest in digests]
    parts = [digest[at : at + 4] for digest, at in zip(digests, offsets, strict=True)]
    assert len(SEED) >= SEED_BYTES
    for expected in (
        row("window: seconds since 1970 ÷ 30, whole", window, window),
        row("last byte of the HMAC", *(f"`{digest[-1]:02x}`" for digest in digests)),
        row("its low 4 bits: the offset", *offsets),
        row("4 bytes at the offset", *(f"`{part.hex()}`" for part in parts)),
        row("as a number, top bit cleared", *(int.from_bytes(part, "big") & 0x7FFFFFFF for part in parts)),
        row("last 7 digits: the password", *(truncate(digest, 7) for digest in digests)),
        row("short form", *(f"`{build(Form.SHORT, DEVICE, SEED, MADE, n)}`" for n in (0, 9))),
        row("Alipay+ form", *(f"`{build(Form.ALIPAY_PLUS, DEVICE, SEED, MADE, n)}`" for n in (0, 9))),
    ):
        assert expected in PAGE


def test_the_table_of_acceptance() -> None:
    presented = parse(build(Form.SHORT, DEVICE, SEED, MADE, 0))
    rows = re.findall(r"\| (06:\d\d:\d\d) \| (\d+) \| (yes|no)", PAGE)
    assert len(rows) == 5
    for time, window, accepted in rows:
        now = datetime.fromisoformat(f"2027-01-08T{time}+00:00")
        assert window_of(now) == int(window)
        assert (matching_window(presented, SEED, now) is not None) == (accepted == "yes")
    assert expires_at(MADE).strftime("%H:%M:%S") == rows[-1][0]
