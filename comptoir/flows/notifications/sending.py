"""One signed POST to a merchant, and what came back: bounded in time and in size, no redirect followed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

import httpx

from comptoir.flows.notifications.addresses import Resolver, Target
from comptoir.kernel.errors import ComptoirError

CONNECT_SECONDS: Final = 3.0
TOTAL_SECONDS: Final = 10.0
LARGEST_ANSWER: Final = 16 * 1024

#: Addresses of one name that are tried in turn.
_MOST_ADDRESSES: Final = 3


class SendFailed(ComptoirError):
    """No whole answer came. The merchant may have heard us all the same."""

    code = "notifications.send_failed"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a merchant answered; the body only for status 200, nothing else can be an acknowledgment."""

    status: int
    body: bytes


class Sender:
    """Sends POST requests. A connection is used once: one that a merchant closed meanwhile costs no try."""

    def __init__(self, *, allow_private: bool, total_seconds: float = TOTAL_SECONDS) -> None:
        self._total_seconds = total_seconds
        self._resolver = Resolver(allow_private=allow_private)
        self._client = httpx.AsyncClient(
            verify=httpx.create_ssl_context(),
            trust_env=False,  # a proxy out of the environment would resolve the name again, unchecked
            follow_redirects=False,
            timeout=httpx.Timeout(total_seconds, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
        )

    async def post(self, target: Target, headers: dict[str, str], body: bytes) -> Answer:
        """POST `body`. Raises AddressRefused or SendFailed, never anything slower than the limit."""
        try:
            async with asyncio.timeout(self._total_seconds):
                addresses = await self._resolver.resolve(target)
                return await self._post_to_first(addresses[:_MOST_ADDRESSES], target, headers, body)
        except TimeoutError:
            raise SendFailed(f"no answer within {self._total_seconds:g} s") from None

    async def close(self) -> None:
        """Close all connections."""
        self._resolver.close()
        await self._client.aclose()

    async def _post_to_first(
        self, addresses: list[str], target: Target, headers: dict[str, str], body: bytes
    ) -> Answer:
        """To the first address that takes the connection; once it does, no other is tried."""
        for last, address in ((one == addresses[-1], one) for one in addresses):
            try:
                return await self._post_to(address, target, headers, body)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                if last:
                    raise SendFailed(f"cannot connect: {type(error).__name__}") from None
            except (httpx.HTTPError, httpx.StreamError) as error:
                raise SendFailed(f"the connection broke: {type(error).__name__}") from None
        raise SendFailed("there is no address")

    async def _post_to(self, address: str, target: Target, headers: dict[str, str], body: bytes) -> Answer:
        request = self._client.build_request(
            "POST",
            target.url.copy_with(host=address),
            headers={**headers, "Host": target.url.netloc.decode("ascii"), "Accept-Encoding": "identity"},
            content=body,
            extensions={"sni_hostname": target.host},  # the certificate is checked against the name
        )
        response = await self._client.send(request, stream=True)
        try:
            return Answer(response.status_code, await _read(response) if response.status_code == 200 else b"")
        finally:
            await response.aclose()


async def _read(response: httpx.Response) -> bytes:
    """The body as it travels, not unpacked: a small body cannot become a large one here."""
    body = bytearray()
    async for piece in response.aiter_raw():
        body += piece
        if len(body) > LARGEST_ANSWER:
            raise SendFailed(f"the answer is longer than {LARGEST_ANSWER} bytes")
    return bytes(body)
