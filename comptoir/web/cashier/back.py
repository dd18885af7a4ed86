"""The buyer's way back to the shop, with a result that only we can have written.

The address is the merchant's `paymentRedirectUrl` with parameters of ours behind its own. They are signed
like everything we say to a merchant, as a GET of that address::

    GET <path>LF<client-id>.<returnTime>.<body>

where the body is ``paymentId=…&resultCode=…&resultStatus=…&paymentRequestId=…``, the values as they are
before they are encoded for the address. The last one is the merchant's own and may hold anything.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

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
    """Where the buyer of a final payment goes; None when the merchant left no web address.

    What already stood in the address under one of our names is replaced.
    """
    if not payment.redirect_url:
        return None
    parts = urlsplit(iri_to_uri(payment.redirect_url))
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return None
    kept = [one for one in parse_qsl(parts.query, keep_blank_values=True) if one[0] not in _OURS]
    path = parts.path or "/"
    told = _told(payment)
    time = format_time(now)
    key = identity.platform_key()
    body = "&".join(f"{name}={value}" for name, value in told)
    content = signing.content_to_sign(path, payment.client_ref, time, body.encode(), b"GET")
    signature = signing.sign(signing.private_key_from_der(key.private_key), content)
    ours = [*told, ("returnTime", time), ("keyVersion", str(key.version)), ("signature", signature)]
    return urlunsplit(parts._replace(path=path, query=urlencode(kept + ours)))


def _told(payment: PaymentView) -> list[tuple[str, str]]:
    """What the shop learns, in the order in which it is signed."""
    code = wire.payment_code(payment)
    return [
        ("paymentId", payment.id.hex),
        ("resultCode", code.value),
        ("resultStatus", code.status.value),
        ("paymentRequestId", payment.request_ref),
    ]
