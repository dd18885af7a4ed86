"""What a server process of the gateway does not load, and can still use."""

from __future__ import annotations

import subprocess
import sys

_LOADED = """
import sys
from comptoir.cli.serve import load_target
load_target("comptoir.config.asgi:gateway")
drawing = "click rich greenlet"
for name in f"sqlparse.engine httpx._client {drawing} prometheus_client opentelemetry defusedxml".split():
    assert sys.modules.get(name) is None, name
import httpx, sqlparse
assert httpx.URL("https://x/y").path == "/y"
assert len(sqlparse.split("SELECT 1; SELECT 2")) == 2
from httpx import AsyncClient
assert sys.modules["httpx"].AsyncClient is AsyncClient
"""


def test_a_server_loads_what_it_needs_and_the_rest_when_it_needs_it() -> None:
    done = subprocess.run([sys.executable, "-c", _LOADED], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
