"""Where a notification may go: an address a merchant wrote must not reach into our own network (SSRF).

The name is resolved here, every address it stands for is checked, and the connection is made to a
checked address: a name that answers otherwise the second time (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

import httpx

from comptoir.kernel.errors import ComptoirError

_SCHEMES: Final = {"http": 80, "https": 443}
_LONGEST: Final = 2048

#: NAT64 (RFC 6052): the last four bytes are an IPv4 address.
_NAT64: Final = IPv6Network("64:ff9b::/96")


class AddressUnusable(ComptoirError):
    """Nothing can ever be sent there: not an absolute http or https URL."""

    code = "notifications.address_unusable"


class AddressMissing(ComptoirError):
    """Nobody has said where to: neither the payment nor, by now, its client has an address."""

    code = "notifications.address_missing"


class AddressRefused(ComptoirError):
    """The name resolves to an address of a private network, of this machine, or to none."""

    code = "notifications.address_refused"


@dataclass(frozen=True, slots=True)
class Target:
    """A merchant's address. `path` is what is signed: as it travels, without the query."""

    url: httpx.URL
    host: str
    port: int
    path: str


@lru_cache(maxsize=1024)  # merchants have few addresses, and each is read for every notification
def target_of(text: str) -> Target:
    """Read a notify URL. Raises AddressUnusable."""
    if len(text) > _LONGEST:
        raise AddressUnusable(f"the address is longer than {_LONGEST} characters")
    try:
        url = httpx.URL(text)
        host, path = url.raw_host.decode("ascii"), url.raw_path.decode("ascii").partition("?")[0]
    except (httpx.InvalidURL, UnicodeError, ValueError):
        raise AddressUnusable("the address is not a URL") from None
    if url.scheme not in _SCHEMES or not host:
        raise AddressUnusable("the address is not an absolute http or https URL")
    if url.userinfo:
        raise AddressUnusable("the address carries a user name or password")
    port = url.port or _SCHEMES[url.scheme]
    if not 0 < port < 65536:
        raise AddressUnusable("the port does not exist")
    return Target(url, host, port, path)


def is_public(text: str) -> bool:
    """Whether an IP address belongs to the open internet, also when it wraps an IPv4 address."""
    address: IPv4Address | IPv6Address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is None and address in _NAT64:
            inner = IPv4Address(address.packed[-4:])
        if inner is not None:
            address = inner
    site_local = isinstance(address, IPv6Address) and address.is_site_local
    return address.is_global and not (address.is_multicast or address.is_reserved or site_local)


class Resolver:
    """Turns names into addresses that may be connected to.

    `allow_private` is for demonstrations and tests on one machine. Names are looked up in threads of
    its own: a name server that hangs holds up the merchants who use it, and nobody else.
    """

    def __init__(self, *, allow_private: bool, threads: int = 64) -> None:
        self._allow_private = allow_private
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="notify-dns")

    async def resolve(self, target: Target) -> list[str]:
        """The addresses of a target, to be tried in order. Raises AddressRefused."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._threads, _look_up, target.host, target.port)
        except (OSError, UnicodeError):
            raise AddressRefused("the name cannot be resolved") from None
        if not found:
            raise AddressRefused("the name has no address")
        if not self._allow_private and not all(map(is_public, found)):
            raise AddressRefused("the name leads into a private network")
        return found

    def close(self) -> None:
        """Let the threads go; does not wait for a name server."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
