"""A proxy between two houses that loses, delays, doubles, swaps and falsifies what passes through it.

What happens to the calls about one payment is scripted by the code that was scanned, verb by verb; each
call takes the next act, the last one stays. It learns which paymentRequestId belongs to a code when it
sees the payment pass.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
import urllib.error
import urllib.request
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from comptoir.kernel.clock import utc_now
from comptoir.standards.antom import signing
from comptoir.standards.antom.times import format_time

_SIGNED = ("client-id", "response-time", "signature")


class Act(StrEnum):
    """What happens to one exchange."""

    PASS = "pass"
    LOSE_REQUEST = "lose request"
    """Nothing arrives; the connection is reset."""
    HOLD_REQUEST = "hold request"
    """Nothing arrives; the caller waits until it gives up."""
    LATE_REQUEST = "late request"
    """It arrives only when the caller has given up, and `release` is called."""
    LOSE_ANSWER = "lose answer"
    """It is done; the connection is reset."""
    HOLD_ANSWER = "hold answer"
    """It is done; the caller waits until it gives up."""
    TWICE = "twice"
    """It arrives twice; the second answer goes back."""
    HALF = "half"
    """Half of the answer, then nothing."""
    FORGED = "forged"
    """A success, signed with a key of somebody's own."""
    REFUSAL_FORGED = "refusal forged"
    """A refusal, signed with a key of somebody's own."""
    UNSIGNED = "unsigned"
    OTHER_PAYMENT = "other payment"
    """The true answer about another payment, truly signed."""
    OTHER_AMOUNT = "other amount"
    """A success of another amount, truly signed."""
    LIE_FAILED = "lie failed"
    """A refusal of what was done, truly signed."""
    LIE_PAID = "lie paid"
    """Nothing arrives, and a truly signed answer says that it was paid."""


class Meddler:
    """Listens on `port`, forwards to `target`. `their_key` is what makes lies true signatures."""

    def __init__(self, target: int = 0, their_key: rsa.RSAPrivateKey | None = None) -> None:
        self.target = target
        self.their_key = their_key
        self.seen: list[tuple[str, str]] = []
        self._lock = threading.Lock()
        self._scripts: dict[tuple[str, str], list[Act]] = {}
        self._codes: dict[str, str] = {}
        self._answers: dict[str, bytes] = {}
        self._released = threading.Event()
        self._closed = threading.Event()
        meddler = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                meddler.meddle(self)

            def log_message(self, format: str, *arguments: Any) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    # ------------------------------------------------------------ for the test

    def script(self, code: str, **acts: list[Act]) -> None:
        """What happens to the calls about a code, by the last word of their path (or `notify`)."""
        with self._lock:
            for verb, wanted in acts.items():
                self._scripts[code, verb] = list(wanted)

    def release(self) -> None:
        """Let late requests arrive."""
        self._released.set()

    def calls(self, code: str) -> list[str]:
        """The verbs that were called about a code, in order."""
        with self._lock:
            return [verb for verb, about in self.seen if about == code]

    def close(self) -> None:
        self._closed.set()
        self._released.set()
        self._server.shutdown()
        self._server.server_close()

    # ------------------------------------------------------------ how it works

    def meddle(self, call: BaseHTTPRequestHandler) -> None:
        body = call.rfile.read(int(call.headers["Content-Length"]))
        message = json.loads(body)
        verb = "notify" if "/notify/" in call.path else call.path.rpartition("/")[2]
        with self._lock:
            ref = message.get("paymentRequestId", "")
            code = message.get("paymentMethod", {}).get("paymentMethodId") or self._codes.get(ref, "")
            self._codes[ref] = code
            self.seen.append((verb, code))
            acts = self._scripts.get((code, verb), [Act.PASS])
            act = acts.pop(0) if len(acts) > 1 else acts[0]
        try:
            self._do(act, call, body, message)
        except (OSError, urllib.error.URLError):
            call.close_connection = True

    def _do(self, act: Act, call: BaseHTTPRequestHandler, body: bytes, message: dict[str, Any]) -> None:
        match act:
            case Act.LOSE_REQUEST:
                return _reset(call)
            case Act.HOLD_REQUEST:
                self._closed.wait(60)
                return _reset(call)
            case Act.LATE_REQUEST:
                self._released.wait(60)
                if not self._closed.is_set():
                    self._forward(call, body)
                return _reset(call)
            case Act.LIE_PAID:
                amount = message["paymentAmount"]
                said = {
                    "result": _result("SUCCESS", "S"), "paymentRequestId": message["paymentRequestId"],
                    "paymentId": "0" * 32, "paymentAmount": amount,
                }  # fmt: skip
                return self._say(call, said, self.their_key)
        headers, answer = self._forward(call, body)
        if act is Act.TWICE:
            headers, answer = self._forward(call, body)
        document = json.loads(answer)
        match act:
            case Act.LOSE_ANSWER:
                return _reset(call)
            case Act.HOLD_ANSWER:
                self._closed.wait(60)
                return _reset(call)
            case Act.HALF:
                return self._send(call, headers, answer, cut=len(answer) // 2)
            case Act.UNSIGNED:
                return self._send(call, {}, answer)
            case Act.FORGED:
                paid = _result("SUCCESS", "S")
                lie = {"paymentId": "0" * 32} | document | {"result": paid, "paymentResult": paid}
                return self._say(call, lie, signing.generate_key())
            case Act.REFUSAL_FORGED:
                no = _result("USER_BALANCE_NOT_ENOUGH", "F")
                return self._say(call, document | {"result": no, "paymentResult": no}, signing.generate_key())
            case Act.LIE_FAILED:
                no = _result("USER_BALANCE_NOT_ENOUGH", "F")
                return self._say(call, document | {"result": no}, self.their_key)
            case Act.OTHER_AMOUNT:
                other = {"currency": "EUR", "value": "1"}
                return self._say(call, document | {"paymentAmount": other}, self.their_key)
            case Act.OTHER_PAYMENT:
                other_request = {"paymentRequestId": "f" * 32, "paymentId": "e" * 32}
                return self._say(call, document | other_request, self.their_key)
        return self._send(call, headers, answer)

    def _forward(self, call: BaseHTTPRequestHandler, body: bytes) -> tuple[dict[str, str], bytes]:
        names = ("client-id", "Request-Time", "Signature", "Content-Type")
        kept = {name: call.headers[name] for name in names if call.headers[name]}
        url = f"http://127.0.0.1:{self.target}{call.path}"
        with urllib.request.urlopen(urllib.request.Request(url, body, kept), timeout=30) as reply:
            return {name: reply.headers[name] for name in _SIGNED if reply.headers[name]}, reply.read()

    def _say(self, call: BaseHTTPRequestHandler, said: dict[str, Any], key: rsa.RSAPrivateKey | None) -> None:
        assert key is not None
        body, at, client = json.dumps(said).encode(), format_time(utc_now()), call.headers["client-id"]
        signed = signing.sign(key, signing.content_to_sign(call.path, client, at, body))
        headers = {"client-id": client, "response-time": at, "signature": signing.format_header(1, signed)}
        self._send(call, headers, body)

    def _send(
        self, call: BaseHTTPRequestHandler, headers: dict[str, str], body: bytes, *, cut: int | None = None
    ) -> None:
        call.send_response(200)
        for name, value in headers.items():
            call.send_header(name, value)
        call.send_header("Content-Length", str(len(body)))
        call.end_headers()
        call.wfile.write(body[:cut])
        if cut is not None:
            call.wfile.flush()
            _reset(call)


def _result(code: str, status: str) -> dict[str, str]:
    return {"resultCode": code, "resultStatus": status, "resultMessage": "so we say"}


def _reset(call: BaseHTTPRequestHandler) -> None:
    """Close the connection with a reset instead of an end."""
    call.close_connection = True
    call.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    call.connection.close()
