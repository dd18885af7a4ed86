"""What a scanned or typed text is to a wallet. Anything may be on a wall: only what is understood goes on."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum

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
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Scanned:
    """What was understood; `value` is the order's digits, the shop's reference, the consent's code, or the
    name of another scheme's merchant."""

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
    if payment_code.classify(typed) is not payment_code.Scheme.UNKNOWN:
        return Scanned(Kind.PHONE)
    with suppress(InvalidValue):
        return Scanned(Kind.CONSENT, agreements.check_consent_code(typed.lower()))
    with suppress(InvalidValue):
        return Scanned(Kind.OTHER_SCHEME, emv_qr.parse(text, emv_qr.Profile.LENIENT).name or "")
    return Scanned(Kind.UNKNOWN)
