"""A tiny ASGI application that tells what the server gave it."""

from __future__ import annotations

import json
from typing import Any


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer with the scope as JSON."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    told = {
        "path": scope["path"],
        "raw_path": scope["raw_path"].decode("latin1"),
        "query": scope["query_string"].decode("latin1"),
        "headers": [[name.decode(), value.decode("latin1")] for name, value in scope["headers"]],
        "size": size,
    }
    headers = [(b"client-id", b"x"), (b"response-time", b"t"), (b"signature", b"s")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(told).encode()})
