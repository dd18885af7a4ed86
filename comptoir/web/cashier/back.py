"""The buyer's way back to the shop, with a result that only we can have written.

The address is the merchant's `paymentRedirectUrl` with parameters of ours behind its own. They are signed
like everything we say to a merchant, as a GET of that address::

    GET <path>LF<client-id>.<returnTime>.<body>

where the body is ``paymentId=…&resultCode=…&resultStatus=…&paymentRequestId=…``, the values as they are
before they are encoded for the address. The last one is the merchant's own and may hold anything.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from datetime import datetime
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from django.utils.encoding import iri_to_uri

from comptoir.acquiring.api import PaymentView
from comptoir.flows import wire
from comptoir.identity import api as identity
from comptoir.standards.antom import signing
from comptoir.standards.antom.times import format_time

_OURS: Final = frozenset(
    (
        "paymentId",
        "resultCode",
        "resultStatus",
        "paymentRequestId",
        "returnTime",
        "keyVersion",
        "signature",
    )
)


def way_back(payment: PaymentView, now: datetime) -> str | None:
    """Where the buyer goes; None when the merchant left no web address.

    Of a payment that is not final the shop learns just that (PAYMENT_IN_PROCESS, U): the buyer left its page.
    What already stood in the address under one of our names is replaced.
    """
    parts = _address(payment.redirect_url)
    if parts is None:
        return None
    path = parts.path or "/"
    told = _told(payment)
    time = format_time(now)
    key = identity.platform_key()
    body = "&".join(f"{name}={value}" for name, value in told)
    content = signing.content_to_sign(path, payment.client_ref, time, body.encode(), b"GET")
    signature = signing.sign(signing.private_key_from_der(key.private_key), content)
    ours = [*told, ("returnTime", time), ("keyVersion", str(key.version)), ("signature", signature)]
    return with_parameters(parts._replace(path=path), ours, _OURS)


def with_parameters(parts: SplitResult, ours: Iterable[tuple[str, str]], names: Container[str]) -> str:
    """A shop's address with parameters of ours behind its own; those under one of `names` are only ours."""
    kept = [one for one in parse_qsl(parts.query, keep_blank_values=True) if one[0] not in names]
    return urlunsplit(parts._replace(query=urlencode([*kept, *ours])))


def _address(text: str | None) -> SplitResult | None:
    """A web address taken apart, or None: nothing else may stand in a link."""
    try:
        parts = urlsplit(iri_to_uri(text or ""))
    except ValueError:
        return None
    return parts if parts.scheme in ("http", "https") and parts.netloc else None


def _told(payment: PaymentView) -> list[tuple[str, str]]:
    """What the shop learns, in the order in which it is signed."""
    code = wire.payment_code(payment)
    return [
        ("paymentId", payment.id.hex),
        ("resultCode", code.value),
        ("resultStatus", code.status.value),
        ("paymentRequestId", payment.request_ref),
    ]
