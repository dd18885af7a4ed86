"""Fetch the daily reference rates from the European Central Bank."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from comptoir.fx.errors import FetchFailed
from comptoir.standards.ecb_rates import LARGEST_DAILY

if TYPE_CHECKING:
    import httpx

#: For connecting and for each read.
TIMEOUT_SECONDS = 10.0

#: For the fetch as a whole: a server that sends a byte at a time does not hold a worker.
DEADLINE_SECONDS = 30.0

_HEADERS = {"Accept": "application/xml, text/xml", "Accept-Encoding": "identity"}


def fetch_daily_xml(url: str, transport: httpx.BaseTransport | None = None) -> bytes:
    """The bytes of the daily file. HTTPS only, certificate checked, no redirects, at most 200 kB.

    Raises FetchFailed. `transport` replaces the network in tests.
    """
    import httpx  # here: whoever only reads rates, as every gateway process does, needs no HTTP client

    if urlsplit(url).scheme != "https":
        raise FetchFailed("rates are fetched over HTTPS only", field="url")
    try:
        with httpx.Client(transport=transport, timeout=TIMEOUT_SECONDS, follow_redirects=False) as client:
            with client.stream("GET", url, headers=_HEADERS) as answer:
                if answer.status_code != 200:
                    raise FetchFailed(f"the ECB answered {answer.status_code}")
                return _read(answer)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise FetchFailed(f"the ECB could not be asked: {type(error).__name__}") from None


def _read(answer: httpx.Response) -> bytes:
    """The body as sent. We ask for no compression and undo none: the limit is on what we keep."""
    deadline = monotonic() + DEADLINE_SECONDS
    body = bytearray()
    for chunk in answer.iter_raw():
        body += chunk
        if monotonic() > deadline:
            raise FetchFailed("the ECB's answer took too long")
        if len(body) > LARGEST_DAILY:
            raise FetchFailed("the ECB's answer is too large for one day of rates")
    return bytes(body)
