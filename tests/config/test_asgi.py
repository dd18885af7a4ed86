from __future__ import annotations

import asyncio
from typing import Any

import pytest
from a2wsgi import WSGIMiddleware

from comptoir.config.asgi import Doors, belongs_to_gateway


@pytest.mark.parametrize(
    ("path", "machines"),
    [
        ("/ams/api/v1/payments/pay", True),
        ("//ams/api/v1/payments/pay", True),
        ("/ams/api//v1/payments/retrievePaymentSession", True),
        ("/aps/api/v1/payments/pay", True),
        ("/healthz", True),
        ("/readyz", True),
        ("/", False),
        ("/ams", False),
        ("/programs/", False),
        ("/healthz/more", False),
    ],
)
def test_which_paths_are_for_machines(path: str, machines: bool) -> None:
    assert belongs_to_gateway(path) is machines


def recording(name: str, log: list[str]) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        log.append(f"{name} {scope.get('path', scope['type'])}")

    return app


async def test_people_are_loaded_once_and_only_when_asked_for() -> None:
    log: list[str] = []

    def load() -> Any:
        log.append("load")
        return recording("people", log)

    doors = Doors(recording("machines", log), load, lambda: None)
    for scope in ({"type": "lifespan"}, {"type": "http", "path": "/ams/x"}):
        await doors(scope, None, None)  # type: ignore[arg-type]
    assert log == ["machines lifespan", "machines /ams/x"]
    for path in ("/", "/shop"):
        await doors({"type": "http", "path": path}, None, None)  # type: ignore[arg-type]
    assert log[2:] == ["load", "people /", "people /shop"]


async def test_a_form_reaches_the_people_whatever_the_server_awaits() -> None:
    """granian's `receive` gives an object to await that is no coroutine."""

    def echo(environ: Any, start_response: Any) -> list[bytes]:
        body = environ["wsgi.input"].read()
        start_response("200 OK", [])
        return [body]

    def receive() -> asyncio.Future[dict[str, Any]]:
        future = asyncio.get_running_loop().create_future()
        future.set_result({"type": "http.request", "body": b"amount=12.50", "more_body": False})
        return future

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    doors = Doors(recording("machines", []), lambda: WSGIMiddleware(echo), lambda: None)  # type: ignore[arg-type]
    scope = {"type": "http", "method": "POST", "path": "/s/x", "query_string": b"", "headers": []}
    scope |= {"http_version": "1.1", "scheme": "http", "server": ("localhost", 80), "client": None}
    await asyncio.wait_for(doors(scope, receive, send), 60)  # type: ignore[arg-type]
    assert sent[0]["status"] == 200
    assert b"".join(one.get("body", b"") for one in sent) == b"amount=12.50"
