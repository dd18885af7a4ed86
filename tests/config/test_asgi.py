from __future__ import annotations

from typing import Any

import pytest

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
