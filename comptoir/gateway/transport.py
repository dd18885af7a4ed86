"""What arrives and what leaves, in ASGI terms: head, body, answer."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Final

from comptoir.standards.antom.errors import ParamIllegal
from comptoir.standards.antom.paths import path_of_target

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

#: What is discarded of a body that is too large, so that a client that sends before it listens
#: gets its answer. It costs no memory; beyond it the connection is closed on them.
DRAIN_BYTES: Final = 32 * 1024 * 1024

_HEADERS: Final = {
    b"client-id": "client-id",
    b"request-time": "Request-Time",
    b"signature": "Signature",
    b"authorization": "Authorization",
}
_ECHOABLE = re.compile(r"[\x21-\x7e]{1,128}")


class HungUp(Exception):
    """The client closed the connection before its request was complete: there is nobody to answer."""


@dataclass(slots=True)
class Head:
    """Method, path and the headers that matter. `fault` is what is wrong with them, if anything."""

    method: str
    path: str
    client_id: str = ""
    request_time: str = ""
    signature: str = ""
    authorization: str = field(default="", repr=False)
    content_types: list[str] = field(default_factory=list)
    content_length: int = 0
    fault: ParamIllegal | None = None

    @property
    def has_api_key(self) -> bool:
        """Whether the caller signs nothing and shows a key instead. Who signs may show what it likes."""
        return bool(self.authorization) and not self.signature

    @property
    def is_json(self) -> bool:
        """Whether any Content-Type is JSON, or none is given. The Go SDK sends the header twice."""
        return not self.content_types or any("json" in one.lower() for one in self.content_types)


def read_head(scope: Scope) -> Head:
    """The head of a request. The target may be in absolute form: the Python SDK sends it so."""
    raw = scope.get("raw_path")
    target = raw.decode("latin-1") if raw else scope["path"]
    head = Head(scope["method"], path_of_target(target))
    found: dict[bytes, str] = {}
    for name, value in scope["headers"]:
        text = value.decode("latin-1").strip()
        if name in _HEADERS:
            if name in found:
                label = _HEADERS[name]
                head.fault = ParamIllegal(f"the {label} header is there twice", field=label)
            found[name] = text
        elif name == b"content-type":
            head.content_types.append(text)
        elif name == b"content-length" and text.isdecimal():
            head.content_length = int(text[:18])
    head.client_id = found.get(b"client-id", "")
    head.request_time = found.get(b"request-time", "")
    head.signature = found.get(b"signature", "")
    head.authorization = found.get(b"authorization", "")
    if head.fault is None and not head.has_api_key:
        for value, label in ((head.signature, "Signature"), (head.request_time, "Request-Time")):
            if not (value and value.isascii()):
                head.fault = ParamIllegal(f"the {label} header is missing or not ASCII", field=label)
                break
    return head


def echo(client_id: str) -> str:
    """The client id as it may stand in our answer; empty when it is no visible ASCII."""
    return client_id if _ECHOABLE.fullmatch(client_id) else ""


async def read_body(receive: Receive, head: Head, limit: int, seconds: float) -> bytes:
    """The body, of at most `limit` bytes, within `seconds`. Raises ParamIllegal or HungUp."""
    try:
        async with asyncio.timeout(seconds):
            body = await _collect(receive, head, limit)
    except TimeoutError:
        raise ParamIllegal(f"the body did not arrive within {seconds:g} s", field="body") from None
    if len(body) > limit:
        raise ParamIllegal(f"the body is larger than {limit} bytes", field="body")
    return body


async def _collect(receive: Receive, head: Head, limit: int) -> bytes:
    """The body; past `limit` it is counted and thrown away, one byte too many is kept to tell."""
    kept = bytearray()
    seen = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise HungUp
        piece = message.get("body", b"")
        seen += len(piece)
        kept += piece[: limit + 1 - len(kept)]
        if not message.get("more_body"):
            return bytes(kept)
        if seen > limit and max(seen, head.content_length) > DRAIN_BYTES:
            return bytes(kept)


async def send_plain(send: Send, body: bytes) -> None:
    """HTTP 200 with a JSON body that nobody signs: an acknowledgment."""
    headers = [(b"content-type", b"application/json; charset=UTF-8")]
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def send_answer(send: Send, body: bytes, client_id: str, time: str, signature: str) -> None:
    """HTTP 200, always. The names must be lower case to the byte: two SDKs compare them so."""
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [
                (b"content-type", b"application/json; charset=UTF-8"),
                (b"content-length", str(len(body)).encode()),
                (b"client-id", client_id.encode()),
                (b"response-time", time.encode()),
                (b"signature", signature.encode()),
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})
