"""A real browser for the pages: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.conftest import Database
from tests.web.desk import Desk, make_desk
from tests.web.pages import aside
from tests.web.world import World, make_world

# A page that is to change may be late on a busy machine: a test that passes waits no longer for this.
expect.set_options(timeout=60_000)

_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
]


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's program. Without one the pages cannot be shown, only asked for."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium fonts-noto-cjk)")
    return found


@pytest.fixture
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
        yield opened
        opened.close()


class _Server(ThreadingMixIn, WSGIServer):
    """A browser may open a connection and say nothing for a while: nobody waits behind it."""

    daemon_threads = True
    request_queue_size = 128

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        from django.db import connections

        try:
            super().process_request_thread(request, client_address)
        finally:
            connections.close_all()


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Requests of a test are not worth a line."""


@pytest.fixture
def site(database: Database) -> Iterator[str]:
    """The people's door on a free port, over the test's database."""
    import threading

    from comptoir.config.wsgi import application

    with make_server("127.0.0.1", 0, application, _Server, _Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def desk(database: Database) -> Desk:
    """A shop after a morning's work (see tests/web/desk.py)."""
    return make_desk()


@pytest.fixture
def world(database: Database) -> World:
    """Two shops, two travellers (see tests/web/world.py)."""
    return aside(make_world)
