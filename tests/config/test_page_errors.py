"""A page that fails leaves a line in the log, with its traceback and without its address."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from structlog.testing import capture_logs

from comptoir.web.cashier import views


def test_a_failure_is_logged_with_its_view_and_not_with_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(digits: str) -> Any:
        raise RuntimeError("the page broke")

    monkeypatch.setattr(views, "_find", fails)
    address = "/c/281688040000000000000000"
    with capture_logs() as logs:
        answer = Client(raise_request_exception=False).get(address, headers={"host": "localhost"})
    assert answer.status_code == 500
    [line] = logs
    assert (line["event"], line["log_level"], line["view"]) == ("page failed", "error", "order")
    assert isinstance(line["exc_info"][1], RuntimeError)
    assert address[3:] not in str({name: value for name, value in line.items() if name != "exc_info"})


def test_what_is_not_there_is_no_failure() -> None:
    with capture_logs() as logs:
        assert Client().get("/nowhere", headers={"host": "localhost"}).status_code == 404
    assert logs == []
