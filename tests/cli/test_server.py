"""What the HTTP server does with odd requests, pinned on raw sockets: the gateway's rules rest on it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cli.processes import free_port, wait_for

_SERVE = "import sys; from comptoir.cli.serve import serve_target; serve_target(sys.argv[1], host='127.0.0.1', port=int(sys.argv[2]))"  # noqa: E501


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[int, Any]]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVE, "tests.cli.echo_app:app", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    wait_for(lambda: listens(port))
    yield port, process
    process.terminate()
    log, _ = process.communicate(timeout=60)
    # No access log: whatever the tests sent, the server wrote none of it down.
    assert "/ams/" not in log
    assert "GET" not in log
    assert "POST" not in log


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def exchange(server: tuple[int, Any], head: str, body: bytes = b"{}") -> tuple[str, dict[str, Any]]:
    """Send a request with an exact head; the answer's head, and its body from JSON."""
    with socket.create_connection(("127.0.0.1", server[0]), timeout=60) as wire:
        wire.sendall(head.encode("latin1") + b"\r\n\r\n" + body)
        answer = b""
        while part := wire.recv(65536):
            answer += part
    top, _, content = answer.partition(b"\r\n\r\n")
    return top.decode(), json.loads(content) if content else {}


def post(target: str, *headers: str, size: int = 2) -> str:
    lines = [f"POST {target} HTTP/1.1", "Host: localhost", f"Content-Length: {size}", "Connection: close"]
    return "\r\n".join([*lines, *headers])


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/ams/api/v1/payments/pay", "/ams/api/v1/payments/pay"),
        ("https://localhost/ams/api/v1/payments/pay", "/ams/api/v1/payments/pay"),
        ("https://localhost//ams/api/v1/payments/pay", "//ams/api/v1/payments/pay"),
        ("/ams/api//v1/payments/retrievePaymentSession", "/ams/api//v1/payments/retrievePaymentSession"),
        ("//ams/../x/./y", "//ams/../x/./y"),
    ],
)
def test_only_scheme_and_authority_are_stripped_from_the_target(
    server: tuple[int, Any], target: str, path: str
) -> None:
    top, told = exchange(server, post(target))
    assert top.startswith("HTTP/1.1 200 ")
    assert told["path"] == told["raw_path"] == path


def test_the_raw_path_keeps_its_escapes_and_loses_its_query(server: tuple[int, Any]) -> None:
    _, told = exchange(server, post("/ams/%70ay%2F?a=%41"))
    assert (told["path"], told["raw_path"], told["query"]) == ("/ams/pay/", "/ams/%70ay%2F", "a=%41")


def test_response_header_names_stay_lowercase(server: tuple[int, Any]) -> None:
    top, _ = exchange(server, post("/ams/x"))
    names = [line.partition(":")[0] for line in top.split("\r\n")[1:]]
    assert {"client-id", "response-time", "signature"} <= set(names)
    assert names == [name.lower() for name in names]


def test_doubled_headers_arrive_twice_and_lowercase(server: tuple[int, Any]) -> None:
    head = post("/ams/x", "Content-Type: a", "Content-Type:b", "Client-Id: 1", "client-id: 2")
    _, told = exchange(server, head)
    wanted = [["content-type", "a"], ["content-type", "b"], ["client-id", "1"], ["client-id", "2"]]
    assert [pair for pair in told["headers"] if pair in wanted] == wanted


def test_a_chunked_body_arrives_whole(server: tuple[int, Any]) -> None:
    head = "POST /ams/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close"
    _, told = exchange(server, head, b"2\r\n{}\r\n3\r\nabc\r\n0\r\n\r\n")
    assert told["size"] == 5


def test_a_content_length_beside_chunks_is_dropped(server: tuple[int, Any]) -> None:
    head = post("/ams/x", "Transfer-Encoding: chunked")
    _, told = exchange(server, head, b"3\r\nabc\r\n0\r\n\r\n")
    assert told["size"] == 3
    assert "content-length" not in [name for name, _ in told["headers"]]


def test_the_server_does_not_limit_a_body(server: tuple[int, Any]) -> None:
    _, told = exchange(server, post("/ams/x", size=3_000_000), b"x" * 3_000_000)
    assert told["size"] == 3_000_000


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (post("/ams/x", "Content-Length: 3"), 400),
        (post("/ams/x", "X-A : b"), 400),
        (post("/ams/\xe4"), 400),
        (post("/" + "a" * 66_000), 414),
        (post("/ams/x", *(f"x-{n}: 1" for n in range(120))), 431),
        (post("/ams/x", "x-a: " + "a" * 200_000), 431),
    ],
    ids=[
        "two lengths",
        "space in header name",
        "raw byte in target",
        "long target",
        "120 headers",
        "big header",
    ],
)
def test_what_is_not_http_never_reaches_the_application(
    server: tuple[int, Any], head: str, status: int
) -> None:
    top, told = exchange(server, head)
    assert top.startswith(f"HTTP/1.1 {status} ")
    assert told == {}
