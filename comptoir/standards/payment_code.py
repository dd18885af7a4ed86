"""One-time payment codes, shown by a traveller and scanned by a shop: digits in a bar code or QR.

Two printed forms of one 16-digit UIN:

- 18 digits: 2-digit prefix (25-30, default 28) + UIN, what every Alipay-ready till scans;
- 24 digits, Alipay+ mainstream form (docs.alipayplus.com "code format", read November 2026):
  6-digit CII, the issuer (begins 25-30) + business type ``02`` + UIN.

    UIN = device number, 8 digits | refresh counter n, 1 digit | one-time password, 7 digits

The one-time password follows RFC 6238 (TOTP, May 2011) with HMAC-SHA-256, 30-second steps from
the Unix epoch, and the dynamic truncation of RFC 4226 §5.3 (HOTP, December 2005):

    digest = HMAC-SHA-256(seed, window as 8 bytes big-endian | n as 1 byte | DOMAIN)
    offset = low 4 bits of the last byte of digest
    otp    = (4 bytes of digest at offset, big-endian, top bit cleared) mod 10^7

so a phone makes codes without a network, and both forms of one moment carry the same password.
The counter n lets a second code be shown in a window whose first was used. A code is accepted in
its own window and the one after it, and one window early for a device clock up to 30 s fast.

Guessing: whoever knows a device number has 3 chances in 10^7 per attempt (three windows are
accepted), 1 in 3.3 million; drawn blind, the device number must exist too. The modulo favors no
password by more than 1.2 per mille. A limit on failed attempts per device is the issuer's duty, and
so is single use: remember (device, window, n) until `expires_at`.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache, lru_cache
from typing import Final

from comptoir.kernel.errors import InvalidValue

STEP: Final = timedelta(seconds=30)
DOMAIN: Final = b"comptoir/payment-code/1"
DEFAULT_PREFIX: Final = "28"
DEFAULT_CII: Final = "286688"

#: Business types of the 24-digit form.
USER_CODE: Final = "02"
ORDER_CODE: Final = "04"

#: RFC 4226 §4, R6: a shared secret has at least 128 bits.
SEED_BYTES: Final = 16

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_OTP_DIGITS: Final = 7
_DEVICES: Final = 10**8
_DIGITS: Final = re.compile(r"[0-9]{16,24}")
_ALIPAY_PLUS_19: Final = re.compile(r"289[0-9]{10}6[0-9]{5}")
_ALIPAY: Final = re.compile(r"(2[5-9]|30)[0-9]*")


class Form(Enum):
    """How the same UIN is printed; the value is the number of digits."""

    SHORT = 18
    ALIPAY_PLUS = 24


class Scheme(Enum):
    """Whose code a scanned string of digits is, by its shape alone."""

    #: 24 digits, business type 02. Ours when the CII is ours.
    ALIPAY_PLUS = "alipay_plus"
    #: 24 digits, business type 04: an order code, which a shop shows and a wallet scans.
    ALIPAY_PLUS_ORDER = "alipay_plus_order"
    #: 24 digits of any other business type (CGCP: the first 6 digits name agreement and wallet).
    ALIPAY_PLUS_CGCP = "alipay_plus_cgcp"
    #: 19 digits, 289… with a 6 at the sixth place from the end.
    ALIPAY_PLUS_19 = "alipay_plus_19"
    #: 16-23 digits from 25-30: Alipay China, AlipayHK, legacy Alipay+, and our 18-digit form.
    ALIPAY = "alipay"
    WECHAT_PAY = "wechat_pay"
    UNIONPAY = "unionpay"
    UNKNOWN = "unknown"


class NotOurs(InvalidValue):
    """A payment code of another issuer; `scheme` says whose, so that a router can pass it on."""

    code = "payment_code.not_ours"

    def __init__(self, scheme: Scheme) -> None:
        super().__init__(f"the payment code is of another issuer ({scheme.value})")
        self.scheme = scheme


@dataclass(frozen=True, slots=True)
class PresentedCode:
    """A code as scanned, taken apart. Well-formed only: `matching_window` says whether it is true."""

    form: Form
    device_number: int
    n: int
    otp: str = field(repr=False)


def window_of(at: datetime) -> int:
    """The number of the 30-second step an instant lies in (Unix epoch = 0)."""
    if at.tzinfo is None:
        raise InvalidValue("an instant needs a time zone")
    return (at - _EPOCH) // STEP


def expires_at(at: datetime) -> datetime:
    """When a code made at `at` stops being accepted: the end of the window after its own (30-60 s)."""
    return _EPOCH + (window_of(at) + 2) * STEP


def build(
    form: Form,
    device_number: int,
    seed: bytes,
    at: datetime,
    n: int,
    *,
    prefix: str = DEFAULT_PREFIX,
    cii: str = DEFAULT_CII,
) -> str:
    """The code of a device (0-99999999) at an instant; `n` 0-9 is the refresh counter.

    `prefix` heads the short form, `cii` the Alipay+ form. Raises InvalidValue.
    """
    if type(device_number) is not int or not 0 <= device_number < _DEVICES:
        raise InvalidValue("a device number has at most 8 digits")
    check_issuer(prefix, cii)
    otp = one_time_password(seed, window_of(at), n)
    head = prefix if form is Form.SHORT else cii + USER_CODE
    return f"{head}{device_number:08d}{n}{otp}"


@lru_cache(maxsize=256)
def parse(text: str, *, prefix: str = DEFAULT_PREFIX, cii: str = DEFAULT_CII) -> PresentedCode:
    """Take a scanned code apart: once, however often a batch asks about it.

    Raises NotOurs (an InvalidValue that names the scheme) for any other issuer's, and InvalidValue
    for what is no payment code at all. No message repeats the code.
    """
    check_issuer(prefix, cii)
    scheme = classify(text)
    if scheme is Scheme.ALIPAY and len(text) == Form.SHORT.value and text.startswith(prefix):
        form = Form.SHORT
    elif scheme is Scheme.ALIPAY_PLUS and text.startswith(cii):
        form = Form.ALIPAY_PLUS
    elif scheme is Scheme.UNKNOWN:
        raise InvalidValue("this is not a payment code")
    else:
        raise NotOurs(scheme)
    uin = text[-16:]
    return PresentedCode(form, int(uin[:8]), int(uin[8]), uin[9:])


def classify(text: str) -> Scheme:
    """Whose payment code this is by length and first digits; UNKNOWN for anything else.

    Published patterns (docs.alipayplus.com "payment codes" and "code format"; opendocs.alipay.com
    open/194/106039; WeChat Pay and UnionPay code payment, all read November 2026). The published
    CGCP pattern and its example disagree, and the mainstream example fits it too: the business type
    decides, and the first six digits name the issuer in both.
    """
    if not isinstance(text, str) or _DIGITS.fullmatch(text) is None:
        return Scheme.UNKNOWN
    if _ALIPAY.fullmatch(text):
        return _alipay_scheme(text)
    if re.fullmatch(r"1[0-5][0-9]{16}", text):
        return Scheme.WECHAT_PAY
    if re.fullmatch(r"62[0-9]{17}", text):
        return Scheme.UNIONPAY
    return Scheme.UNKNOWN


def matching_window(presented: PresentedCode, seed: bytes, now: datetime) -> int | None:
    """The window a presented code was made for, if it is true and in time; None otherwise.

    Every candidate is computed and compared in constant time, so the duration tells nothing.
    """
    current = window_of(now)
    found: int | None = None
    for window in (current + 1, current, current - 1):
        expected = one_time_password(seed, window, presented.n)
        if hmac.compare_digest(expected, presented.otp):
            found = window
    return found


def was_valid(presented: PresentedCode, seed: bytes, now: datetime, windows: int = 20) -> bool:
    """Whether the code was true up to `windows` steps ago (10 minutes): shown too long, not guessed.

    Tells a till to ask for a fresh code; it never makes a code acceptable.
    """
    last = window_of(now) - 1
    old = [one_time_password(seed, window, presented.n) for window in range(max(last - windows, 0), last)]
    return sum(hmac.compare_digest(one, presented.otp) for one in old) > 0


def one_time_password(seed: bytes, window: int, n: int) -> str:
    """The 7 digits for one window and refresh counter. Raises InvalidValue."""
    if not isinstance(seed, bytes) or len(seed) < SEED_BYTES:
        raise InvalidValue("a seed has at least 16 bytes")
    if type(n) is not int or not 0 <= n <= 9:
        raise InvalidValue("the refresh counter is one digit")
    if not 0 <= window < 2**63:
        raise InvalidValue("the instant is before 1970")
    message = window.to_bytes(8, "big") + n.to_bytes(1, "big") + DOMAIN
    return truncate(hmac.digest(seed, message, hashlib.sha256), _OTP_DIGITS)


def truncate(digest: bytes, digits: int) -> str:
    """Dynamic truncation of an HMAC to decimal digits: RFC 4226 §5.3, for any digest length."""
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**digits:0{digits}d}"


@cache
def check_issuer(prefix: str, cii: str) -> None:
    """Refuse a configuration whose codes no till would take. Raises InvalidValue."""
    if re.fullmatch(r"2[5-9]|30", prefix) is None:
        raise InvalidValue("a payment code begins with 25 to 30", field="prefix")
    if re.fullmatch(r"(2[5-9]|30)[0-9]{4}", cii) is None:
        raise InvalidValue("a CII has 6 digits and begins with 25 to 30", field="cii")


def _alipay_scheme(text: str) -> Scheme:
    if len(text) == Form.ALIPAY_PLUS.value:
        return {USER_CODE: Scheme.ALIPAY_PLUS, ORDER_CODE: Scheme.ALIPAY_PLUS_ORDER}.get(
            text[6:8], Scheme.ALIPAY_PLUS_CGCP
        )
    if _ALIPAY_PLUS_19.fullmatch(text):
        return Scheme.ALIPAY_PLUS_19
    return Scheme.ALIPAY
