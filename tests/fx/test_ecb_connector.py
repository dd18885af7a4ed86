"""Fetching from the ECB: HTTPS, a known certificate, one answer of a sane size, or nothing."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import httpx
import pytest
import trustme

from comptoir.fx.connectors import ecb
from comptoir.fx.connectors.ecb import fetch_daily_xml
from comptoir.fx.errors import FetchFailed
from comptoir.standards.ecb_rates import DAILY_URL, LARGEST_DAILY


def answering(status: int = 200, **arguments: object) -> httpx.MockTransport:
    return httpx.MockTransport(lambda request: httpx.Response(status, **arguments))  # type: ignore[arg-type]


def test_the_answer_is_returned_as_it_was_sent() -> None:
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=iter([b"<xml", b"/>"]))

    assert fetch_daily_xml(DAILY_URL, httpx.MockTransport(handle)) == b"<xml/>"
    assert [str(request.url) for request in seen] == [DAILY_URL]
    assert seen[0].headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("status", [204, 301, 302, 304, 403, 404, 429, 500, 503])
def test_any_other_status_is_a_failure(status: int) -> None:
    with pytest.raises(FetchFailed):
        fetch_daily_xml(DAILY_URL, answering(status, headers={"Location": "https://evil.example/"}))


def test_an_answer_that_is_too_large_is_a_failure() -> None:
    assert len(fetch_daily_xml(DAILY_URL, answering(content=iter([b"x" * LARGEST_DAILY])))) == LARGEST_DAILY
    with pytest.raises(FetchFailed):
        fetch_daily_xml(DAILY_URL, answering(content=iter([b"x" * LARGEST_DAILY, b"x"])))


def test_an_endless_answer_is_cut_off() -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 1000

    with pytest.raises(FetchFailed):
        fetch_daily_xml(DAILY_URL, answering(content=endless()))


def test_a_slow_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(0, 1000, 10))
    monkeypatch.setattr(ecb, "monotonic", lambda: next(ticks))

    def drops() -> Iterator[bytes]:
        while True:
            yield b"x"

    with pytest.raises(FetchFailed, match="too long"):
        fetch_daily_xml(DAILY_URL, answering(content=drops()))


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError])
def test_a_network_that_is_down_is_a_failure(error: type[httpx.TransportError]) -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        raise error("down")

    with pytest.raises(FetchFailed):
        fetch_daily_xml(DAILY_URL, httpx.MockTransport(broken))


@pytest.mark.parametrize("url", ["http://www.ecb.europa.eu/x.xml", "file:///etc/passwd", "", "ecb.europa.eu"])
def test_only_https_is_asked(url: str) -> None:
    with pytest.raises(FetchFailed):
        fetch_daily_xml(url, answering(content=b"<xml/>"))


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<xml/>")

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def server_with_a_stranger_s_certificate() -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    server = HTTPServer(("127.0.0.1", 0), _Page)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"https://localhost:{server.server_port}/eurofxref-daily.xml"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_stranger_s_certificate_is_refused(server_with_a_stranger_s_certificate: str) -> None:
    with pytest.raises(FetchFailed, match="ConnectError"):
        fetch_daily_xml(server_with_a_stranger_s_certificate)
