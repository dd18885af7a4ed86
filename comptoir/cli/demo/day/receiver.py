"""The shops' notification receiver: a small HTTP server that checks each signature with the SDK."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, Final

from com.alipay.ams.api.tools import webhook_tool

#: What acknowledges a notification, to the letter.
_ACK: Final = json.dumps(
    {"result": {"resultCode": "SUCCESS", "resultStatus": "S", "resultMessage": "success"}}
).encode()


class Receiver:
    """Receives notifications for all shops while the `with` block lasts.

    `keys` are the platform's public keys by client id. `verified` and `forged` hold the request ids of
    what was told, by whether the signature verified.
    """

    def __init__(self, keys: Mapping[str, str]) -> None:
        self.verified: list[str] = []
        self.forged: list[str] = []
        self._keys = keys
        self._lock = Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            """One notification."""

            def do_POST(self) -> None:
                """Check, note, acknowledge."""
                body = self.rfile.read(int(self.headers["content-length"] or 0))
                good = receiver.take(self.path, dict(self.headers), body)
                self.send_response(200 if good else 403)
                self.send_header("content-type", "application/json; charset=UTF-8")
                self.send_header("content-length", str(len(_ACK)))
                self.end_headers()
                self.wfile.write(_ACK if good else b"")

            def log_message(self, *_: Any) -> None:
                """Say nothing: the day has a progress bar."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Receiver:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def url(self, client_id: str) -> str:
        """Where one client wants to be notified."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/notify/{client_id}"

    def take(self, path: str, headers: Mapping[str, str], body: bytes) -> bool:
        """Note a notification; whether its signature is the platform's."""
        known = {name.lower(): value for name, value in headers.items()}
        client_id = path.rpartition("/")[2]
        told = json.loads(body)
        request_id = told.get("refundRequestId") or told.get("paymentRequestId")
        try:
            good = client_id == known["client-id"] and bool(
                webhook_tool.check_signature(
                    "POST",
                    path,
                    client_id,
                    known["request-time"],
                    body.decode(),
                    known["signature"],
                    self._keys[client_id],
                )
            )
        except Exception:  # the SDK lets its libraries' errors through
            good = False
        with self._lock:
            (self.verified if good else self.forged).append(request_id)
        return good
