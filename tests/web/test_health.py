"""A balancer asks a server of pages whether it can serve."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from django.db.backends.postgresql.base import DatabaseWrapper


def asked(site: str, path: str) -> tuple[int, object]:
    # By a name that is not ours: a balancer knows an address.
    request = urllib.request.Request(f"{site}{path}", headers={"Host": "10.0.0.7"})
    try:
        with urllib.request.urlopen(request, timeout=5) as reply:
            return reply.status, json.loads(reply.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_pages_are_healthy_while_they_reach_the_database(
    site: str, path: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert asked(site, path) == (200, {"status": "ok"})
    nobody_listens = {"host": str(tmp_path)}
    real = DatabaseWrapper.get_connection_params
    monkeypatch.setattr(DatabaseWrapper, "get_connection_params", lambda self: real(self) | nobody_listens)
    assert asked(site, path) == (503, {"status": "down"})
    monkeypatch.undo()
    assert asked(site, path) == (200, {"status": "ok"})
