"""What a scanned or typed text is to a wallet. Anything may be on a wall: only what is understood goes on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Final
from urllib.parse import urlsplit

from comptoir.flows import agreements
from comptoir.kernel.errors import InvalidValue
from comptoir.standards import emv_qr, entry_code, order_code, payment_code

#: The longest text that a QR code holds, in characters.
LONGEST = 4296


class Kind(Enum):
    """ORDER, SHOP (a code on a wall) and CONSENT lead on; the others are explained."""

    ORDER = "order"
    SHOP = "shop"
    CONSENT = "consent"
    #: A payment code: somebody's phone, not a shop.
    PHONE = "phone"
    #: A merchant's code for the wallets of another scheme.
    OTHER_SCHEME = "other_scheme"
    #: Digits, but not those of an order: one is missing, or wrong.
    DIGITS = "digits"
    #: An address of ours whose end is no code: torn, dirty or half of it typed.
    BROKEN = "broken"
    #: Somebody else's address: another wallet's shop, or any page.
    ELSEWHERE = "elsewhere"
    UNKNOWN = "unknown"


#: The kinds that lead on.
LEADING: Final = frozenset({Kind.ORDER, Kind.SHOP, Kind.CONSENT})

#: An order's digits with up to four missing, which would pass for a payment code (see `payment_code`).
_TORN_ORDER: Final = re.compile(r"(2[5-9]|30)[0-9]{4}04[0-9]{12,15}")
_LONGEST_HOST: Final = 60


@dataclass(frozen=True, slots=True)
class Scanned:
    """What was understood; `value` is the order's digits, the shop's reference, the consent's code, the
    name of another scheme's merchant, how many digits there are, or another address's host."""

    kind: Kind
    value: str = ""


def understand(text: str, public_url: str) -> Scanned:
    """Tell what a text is. Typed order and consent codes are taken as well as the addresses they stand in."""
    text = text.strip()[:LONGEST]
    for parse, kind in ((order_code.parse, Kind.ORDER), (entry_code.parse, Kind.SHOP)):
        with suppress(InvalidValue):
            return Scanned(kind, parse(text, public_url))
    with suppress(InvalidValue):
        return Scanned(Kind.CONSENT, agreements.parse_consent_address(text, public_url))
    typed = re.sub(r"[\s-]", "", text)
    with suppress(InvalidValue):
        return Scanned(Kind.ORDER, order_code.validate(typed))
    if _TORN_ORDER.fullmatch(typed):
        return Scanned(Kind.DIGITS, str(len(typed)))
    if payment_code.classify(typed) is not payment_code.Scheme.UNKNOWN:
        return Scanned(Kind.PHONE)
    with suppress(InvalidValue):
        return Scanned(Kind.CONSENT, agreements.check_consent_code(typed.lower()))
    with suppress(InvalidValue):
        return Scanned(Kind.OTHER_SCHEME, emv_qr.parse(text, emv_qr.Profile.LENIENT).name or "")
    if typed.isascii() and typed.isdigit():
        return Scanned(Kind.DIGITS, str(len(typed)))
    return _address(text, public_url)


def best(texts: Sequence[str], public_url: str) -> str:
    """Of the codes on one picture the one that leads on, else one that can be explained; "" for none.

    A shop's sign shows other codes beside ours: of other wallets, of its own pages.
    """
    kinds = [(text, understand(text, public_url).kind) for text in texts]
    for wanted in (LEADING, frozenset(Kind) - {Kind.UNKNOWN}, frozenset(Kind)):
        for text, kind in kinds:
            if kind in wanted:
                return text
    return ""


def _address(text: str, public_url: str) -> Scanned:
    """An address of ours that is not whole, or anybody else's."""
    try:
        given, ours = urlsplit(text), urlsplit(public_url)
        host = given.hostname or ""
        same = (host, given.port) == (ours.hostname, ours.port)
    except ValueError:
        return Scanned(Kind.UNKNOWN)
    if given.scheme not in ("http", "https") or not host or len(host) > _LONGEST_HOST:
        return Scanned(Kind.UNKNOWN)
    return Scanned(Kind.BROKEN) if same else Scanned(Kind.ELSEWHERE, host)
