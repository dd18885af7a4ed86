"""A merchant's web server for tests: a real one, in a thread, that answers as it is told to."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

ACK = {"result": {"resultCode": "SUCCESS", "resultStatus": "S", "resultMessage": "success"}}


def result(code: str = "SUCCESS", status: str = "S", message: str = "success") -> bytes:
    return json.dumps(
        {"result": {"resultCode": code, "resultStatus": status, "resultMessage": message}}
    ).encode()


@dataclass
class Heard:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float = field(default_factory=time.monotonic)

    @property
    def message(self) -> dict[str, Any]:
        return dict(json.loads(self.body))


class Handler(BaseHTTPRequestHandler):
    """`server.merchant` keeps what was heard, and decides what is answered."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        merchant: Merchant = self.server.merchant  # type: ignore[attr-defined]
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return  # its sender died halfway: no request
        heard = Heard(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
        with merchant.lock:
            merchant.heard.append(heard)
            merchant.at_once[body] += 1
            merchant.most_at_once = max(merchant.most_at_once, sum(merchant.at_once.values()))
            merchant.same_at_once = max(merchant.same_at_once, merchant.at_once[body])
            answer = merchant.script.pop(0) if merchant.script else merchant.otherwise
        try:
            answer(self)
        except OSError:
            pass
        finally:
            with merchant.lock:
                merchant.at_once[body] -= 1

    def log_message(self, *_: object) -> None:
        """Quiet."""


Answer = Callable[[Handler], None]


def reply(status: int = 200, body: bytes | None = None, **headers: str) -> Answer:
    content = result() if body is None else body

    def answer(handler: Handler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def slow(seconds: float) -> Answer:
    def answer(handler: Handler) -> None:
        time.sleep(seconds)
        reply()(handler)

    return answer


def after(event: threading.Event) -> Answer:
    """Answer when something has happened, or after a minute."""

    def answer(handler: Handler) -> None:
        event.wait(60)
        reply()(handler)

    return answer


def reset(handler: Handler) -> None:
    """Close with RST, as a crashing server does."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.connection.close()


def huge(handler: Handler) -> None:
    """Half a megabyte, which ends as an acknowledgment would."""
    reply(body=b" " * 500_000 + result())(handler)


def drip(handler: Handler) -> None:
    """A body that comes byte by byte and never ends within any patience."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    for _ in range(600):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.05)


class Server(ThreadingHTTPServer):
    """Takes many connections at once; a full backlog would look like a slow network."""

    request_queue_size = 512
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A sender that was killed is no news."""


class Merchant:
    """Runs the server. `script` is used up first, then every request is answered by `otherwise`."""

    def __init__(self, *script: Answer, otherwise: Answer | None = None, port: int = 0) -> None:
        self.script = list(script)
        self.otherwise = otherwise or reply()
        self.heard: list[Heard] = []
        self.at_once: Counter[bytes] = Counter()
        self.most_at_once = 0
        self.same_at_once = 0
        self.lock = threading.Lock()
        self._server = Server(("127.0.0.1", port), Handler)
        self._server.merchant = self  # type: ignore[attr-defined]
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}/notify"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def with_tls(self, context: ssl.SSLContext) -> Self:
        """Speak TLS from now on."""
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        return self

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
