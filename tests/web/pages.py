"""Looking at pages: logged in as somebody, on a phone or a desk, and judging what is there."""

from __future__ import annotations

import concurrent.futures
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from allauth.account.internal.userkit import user_id_to_str
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from playwright.sync_api import Browser, Page

from comptoir.identity.api import PersonView

T = TypeVar("T")

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 800}


def aside(work: Callable[[], T]) -> T:
    """Database work beside a running browser: its event loop and Django's connection keep apart."""

    def once() -> T:
        try:
            return work()
        finally:
            connection.close()

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        return pool.submit(once).result()


def client_of(person: PersonView | None, *, recent: bool = False) -> Client:
    """Django's test client, logged in as somebody (None: nobody); English unless it says otherwise.

    `recent`: who has just given the password once more, as sensitive acts ask.
    """
    client = Client(headers={"host": "localhost", "accept-language": "en"})
    if person is None:
        return client
    user = get_user_model().objects.get(pk=person.id)
    client.force_login(user)
    if recent:
        session = client.session
        session["account_authentication_methods"] = [
            {"method": "password", "at": time.time(), "reauthenticated": True}
        ]
        session["account_authentication_methods_user"] = user_id_to_str(user)
        session.save()
    return client


def open_as(
    browser: Browser,
    site: str,
    person: PersonView | None,
    *,
    size: dict[str, int] | None = None,
    dark: bool = False,
    language: str = "en",
    recent: bool = False,
    **options: Any,
) -> Page:
    """A page of a fresh browser window, logged in as somebody; `complaints(page)` says what it minded."""
    context = browser.new_context(
        base_url=site,
        viewport=size or PHONE,  # type: ignore[arg-type]
        color_scheme="dark" if dark else "light",
        locale=language,
        **options,
    )
    context.set_default_timeout(60_000)  # as long as `expect` waits
    cookies = [{"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": site}]
    if person is not None:
        key = aside(lambda: client_of(person, recent=recent).cookies[settings.SESSION_COOKIE_NAME].value)
        cookies.append({"name": settings.SESSION_COOKIE_NAME, "value": key, "url": site})
    context.add_cookies(cookies)  # type: ignore[arg-type]
    page = context.new_page()
    minded: list[str] = []
    page.on("console", lambda message: minded.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: minded.append(str(error)))
    _MINDED[page] = minded
    return page


_MINDED: dict[Page, list[str]] = {}


def complaints(page: Page) -> list[str]:
    """Errors that the browser wrote down: scripts that failed, and what the page's policy stopped."""
    return _MINDED[page]


def shot(page: Page, name: str) -> Path:
    """A picture of the whole page in $SHOTS (default: build/shots); its path."""
    folder = Path(os.environ.get("SHOTS") or "build/shots")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.png"
    page.screenshot(path=path, full_page=True)
    return path


def hold_before_camera(page: Page, jpeg: bytes) -> None:
    """A picture stands in for the lens, in a browser that reads no codes; all else is the page's own."""
    page.evaluate(
        """async (bytes) => {
            delete window.BarcodeDetector;
            const bitmap = await createImageBitmap(new Blob([new Uint8Array(bytes)], {type: "image/jpeg"}));
            const canvas = document.createElement("canvas");
            canvas.width = bitmap.width; canvas.height = bitmap.height;
            const draw = () => canvas.getContext("2d").drawImage(bitmap, 0, 0);
            draw(); setInterval(draw, 50);
            const media = { getUserMedia: async () => canvas.captureStream(20) };
            Object.defineProperty(navigator, "mediaDevices", { value: media, configurable: true });
        }""",
        list(jpeg),
    )


def limit(monkeypatch: pytest.MonkeyPatch, **rates: str) -> None:
    """Let less be done in a minute than people may do: ``frame="2/m/user"``."""
    monkeypatch.setattr(settings, "ACCOUNT_RATE_LIMITS", settings.ACCOUNT_RATE_LIMITS | rates)


def assert_accessible(page: Page) -> None:
    """axe-core finds nothing serious or critical (WCAG 2.2 A and AA)."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    told = [f"{one['id']}: {one['help']} {[node['html'][:160] for node in one['nodes']]}" for one in serious]
    assert not told, "\n".join([page.url, *told])


def assert_fits(page: Page) -> None:
    """Nothing runs off the side of the screen."""
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{page.url} is {wide} px wider than the screen"
