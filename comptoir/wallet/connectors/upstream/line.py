"""One signed exchange with an upstream: believed whole, or not at all.

An answer counts when it is HTTP 200, signed over the path we asked by the key that was registered, for our
client id, at a time near ours. Anything else is no answer: nobody knows what it would have said.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import httpx
import structlog

from comptoir.kernel.clock import Clock
from comptoir.standards.antom import signing
from comptoir.standards.antom.errors import ParamIllegal
from comptoir.standards.antom.times import format_time, parse_time
from comptoir.wallet.types import UpstreamAccount

CONNECT_SECONDS: Final = 3.0
LARGEST_ANSWER: Final = 256 * 1024

#: How far the other side's clock may be from ours: what the interface allows a request.
CLOCK_SKEW: Final = timedelta(minutes=15)

#: Servers close idle connections after five seconds or more; one that was closed meanwhile costs a payment
#: its answer, so ours are dropped before.
_IDLE_SECONDS: Final = 3.0

log = structlog.get_logger("comptoir.issuers")


class Line:
    """Sends signed requests to one upstream, and checks what it signs."""

    def __init__(
        self, account: UpstreamAccount, clock: Clock, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """`transport` replaces the network in tests."""
        self._account = account
        self._clock = clock
        self._key = signing.private_key_from_der(account.private_key)
        self._their_key = signing.public_key_from_der(account.their_public_key)
        self._client = httpx.AsyncClient(
            transport=transport,
            verify=httpx.create_ssl_context(),
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(30.0, connect=CONNECT_SECONDS),  # the caller's deadline is shorter
            limits=httpx.Limits(max_keepalive_connections=32, keepalive_expiry=_IDLE_SECONDS),
        )

    async def post(self, path: str, body: bytes) -> bytes | None:
        """The body of a believable answer, or None. Cancelled by the caller's deadline."""
        sent_at = format_time(self._clock())
        content = signing.content_to_sign(path, self._account.client_ref, sent_at, body)
        headers = {
            "client-id": self._account.client_ref,
            "Request-Time": sent_at,
            "Signature": signing.format_header(self._account.key_version, signing.sign(self._key, content)),
            "Content-Type": "application/json; charset=UTF-8",
            "Accept-Encoding": "identity",
        }
        try:
            async with self._client.stream(
                "POST", self._account.url + path, headers=headers, content=body
            ) as reply:
                answer = await _read(reply)
        except (httpx.HTTPError, httpx.StreamError) as error:
            log.warning("issuers.no_answer", issuer=self._account.name, error=type(error).__name__)
            return None
        if answer is None or reply.status_code != 200:
            log.warning("issuers.no_answer", issuer=self._account.name, status=reply.status_code)
            return None
        reason = self.doubt(path, reply.headers, answer, "response-time")
        if reason is not None:
            log.error("issuers.answer_not_believed", issuer=self._account.name, reason=reason)
            return None
        return answer

    def doubt(self, path: str, headers: Mapping[str, str], body: bytes, time_header: str) -> str | None:
        """Why this message is not believed to be the upstream's, or None. `path` is what must be signed."""
        said_at = headers.get(time_header, "")
        try:
            signature = signing.parse_header(headers.get("signature", "")).signature()
            away = abs(parse_time(said_at, time_header) - self._clock())
        except ParamIllegal:
            return "it is not signed"
        if headers.get("client-id") != self._account.client_ref:
            return "it is for another client"
        content = signing.content_to_sign(path, self._account.client_ref, said_at, body)
        if signature is None or not signing.verify(self._their_key, content, signature):
            return "the signature does not verify"
        if away > CLOCK_SKEW:
            return "it was signed too long ago, or ahead of us"
        return None

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()


async def _read(reply: httpx.Response) -> bytes | None:
    """The body as it travels; None when it is longer than any answer."""
    body = bytearray()
    async for piece in reply.aiter_raw():
        body += piece
        if len(body) > LARGEST_ANSWER:
            return None
    return bytes(body)
