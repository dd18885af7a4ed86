"""Dynamic order codes, shown by a shop and scanned by a traveller's wallet.

The "private order code" of Alipay+ (docs.alipayplus.com "order code", read November 2026): an HTTPS
address of the acquirer whose last part is 6-digit CII (begins 25-30) + business type ``04`` +
16 digits. The digits are random, about 53 bits: a code names one order and lets no other be
found. It is no secret (it hangs on the counter) and moves no money without the wallet's consent.
"""

from __future__ import annotations

import re
import secrets
from typing import Final

from comptoir.kernel.errors import InvalidValue
from comptoir.standards import own_address
from comptoir.standards.payment_code import ORDER_CODE, check_issuer

DEFAULT_CII: Final = "281688"

_PATH: Final = "/c/"


def new_digits(cii: str = DEFAULT_CII) -> str:
    """24 fresh digits for an order. Raises InvalidValue for a CII that is none."""
    check_issuer(cii[:2], cii)
    return f"{cii}{ORDER_CODE}{secrets.randbelow(10**16):016d}"


def build(public_base: str, digits: str) -> str:
    """The address to print: ``https://pay.example/c/281688041234567890123456``.

    `public_base` is HTTPS, or HTTP on this very machine. Raises InvalidValue.
    """
    return own_address.build(public_base, _PATH, validate(digits))


def parse(text: str, public_base: str) -> str:
    """The 24 digits of a scanned order code of ours. Raises InvalidValue for anything else."""
    return validate(own_address.parse(text, public_base, _PATH))


def validate(digits: str) -> str:
    """`digits` itself if it has the form of an order code. Raises InvalidValue."""
    if re.fullmatch(rf"(2[5-9]|30)[0-9]{{4}}{ORDER_CODE}[0-9]{{16}}", digits) is None:
        raise InvalidValue("an order code is a CII, 04 and 16 digits")
    return digits
