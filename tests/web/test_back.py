"""The way back from a hosted page: once by itself, with a result that nobody but us can have written."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from com.alipay.ams.api.tools.signature_tool import verify as sdk_verify
from django.db import connection
from django.test import Client
from playwright.sync_api import Browser
from rsa import VerificationError

from comptoir.acquiring.api import Product
from comptoir.flows import api as flows
from comptoir.identity import api as identity
from comptoir.kernel.clock import utc_now
from comptoir.standards.antom import signing
from tests.conftest import Database
from tests.flows.support import CLIENT, Scene

from .test_cashier import aside, fresh_scene, opened


def session(scene: Scene, redirect_url: str, **given: object) -> str:
    """The address of a session's page."""
    made = scene.one(
        scene.pay("S/1&x=ü", product=Product.CASHIER, scenario=None, session=True, redirect_url=redirect_url),
        now=given.get("now", utc_now()),  # type: ignore[arg-type]
    ).payment
    assert made is not None
    return f"/c/{made.order_code}"


def pay(scene: Scene, page: str) -> None:
    digits = page.rpartition("/")[2]
    claimed = scene.one(flows.Claim(order_code=digits, wallet_id=scene.wallet_id), now=utc_now()).payment
    assert claimed is not None
    assert claimed.authorization_id is not None
    confirm = flows.Confirm(wallet_id=scene.wallet_id, authorization_id=claimed.authorization_id)
    assert scene.one(confirm, now=utc_now()).code == flows.OK


def arrived(address: str) -> dict[str, str]:
    """What the shop reads out of the address, as its framework decodes it."""
    return dict(parse_qsl(urlsplit(address).query, keep_blank_values=True))


def believes(path: str, got: dict[str, str], key: str) -> bool:
    """The shop's check, with the official SDK."""
    names = ("paymentId", "resultCode", "resultStatus", "paymentRequestId")
    body = "&".join(f"{name}={got[name]}" for name in names)
    try:
        return bool(sdk_verify("GET", path, CLIENT, got["returnTime"], body, got["signature"], key))
    except VerificationError:
        return False


def platform_key() -> str:
    key = identity.ensure_platform_key(now=utc_now())
    return signing.export_public_key(signing.public_key_from_der(key.public_key))


def test_a_buyer_pays_and_is_sent_back_once(database: Database, site: str, browser: Browser) -> None:
    scene, key = aside(fresh_scene), aside(platform_key)
    path = aside(lambda: session(scene, f"{site}/?basket=7&resultCode=forged"))
    page, _ = opened(browser, site + path)
    aside(lambda: pay(scene, path))
    # The shop is the home page here; nobody touches the page.
    page.wait_for_url(f"{site}/?*")
    got = arrived(page.url)
    assert (got["basket"], got["paymentRequestId"]) == ("7", "S/1&x=ü")
    assert (got["resultCode"], got["resultStatus"]) == ("SUCCESS", "S")
    assert believes("/", got, key)
    page.go_back()
    page.get_by_text("The payment succeeded").wait_for()
    page.wait_for_timeout(4000)
    assert page.url == site + path, "the browser's way back is not a trap"
    link = page.get_by_role("link", name="Back to the shop").get_attribute("href")
    assert believes("/", arrived(link or ""), key)


@pytest.fixture
def paid(database: Database) -> tuple[dict[str, str], str]:
    """What a shop got of a paid session, and our key."""
    scene, key = fresh_scene(), platform_key()
    path = session(scene, "https://shop.example/thanks/für?x=1#top")
    pay(scene, path)
    response = Client().get(path, headers={"host": "localhost"})
    assert response.headers["Refresh"].startswith("2; url=https://shop.example/thanks/f%C3%BCr?x=1&")
    assert response.headers["Refresh"].endswith("#top")
    return arrived(response.headers["Refresh"].partition("url=")[2]), key


def test_a_result_cannot_be_made_up(paid: tuple[dict[str, str], str]) -> None:
    got, key = paid
    path = "/thanks/f%C3%BCr"
    assert believes(path, got, key)
    for name in ("paymentId", "resultCode", "resultStatus", "paymentRequestId", "returnTime", "signature"):
        assert not believes(path, got | {name: "0" + got[name]}, key), name
    assert not believes("/other", got, key)
    stranger = signing.export_public_key(signing.generate_key().public_key())
    assert not believes(path, got, stranger)


def test_a_session_that_ran_out_says_so_to_the_shop(database: Database) -> None:
    scene, key = fresh_scene(), platform_key()
    path = session(scene, "https://shop.example/back", now=utc_now() - timedelta(hours=2))
    client = Client()
    open_still = client.get(path, headers={"host": "localhost"})
    assert "Refresh" not in open_still.headers, "nobody is sent back before the end is in the books"
    assert '<noscript><meta http-equiv="refresh" content="3">' in open_still.content.decode()
    digits = path.rpartition("/")[2]
    scene.one(flows.Claim(order_code=digits, wallet_id=scene.wallet_id), now=utc_now())
    first = client.get(path, headers={"host": "localhost"})
    got = arrived(first.headers["Refresh"].partition("url=")[2])
    assert (got["resultCode"], got["resultStatus"]) == ("ORDER_IS_CLOSED", "F")
    assert believes("/back", got, key)
    assert "Refresh" not in client.get(path, headers={"host": "localhost"}).headers
    assert client.cookies["visit"]["path"] == path
    assert client.cookies["visit"]["httponly"]


def test_of_many_windows_of_one_browser_one_goes_back(database: Database) -> None:
    scene = fresh_scene()
    platform_key()
    path = session(scene, "https://shop.example/back")
    client = Client()
    client.get(path, headers={"host": "localhost"})
    pay(scene, path)
    mark = client.cookies["visit"].value
    start = threading.Barrier(4)

    def window() -> bool:
        own = Client()
        own.cookies["visit"] = mark
        start.wait()
        try:
            return "Refresh" in own.get(path, headers={"host": "localhost"}).headers
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as windows:
        went = [one.result() for one in [windows.submit(window) for _ in range(4)]]
    assert went.count(True) == 1
    other = Client().get(path, headers={"host": "localhost"})
    assert "Refresh" in other.headers, "another browser has not been back yet"


def test_a_page_that_follows_is_told_only_of_news(database: Database) -> None:
    scene = fresh_scene()
    platform_key()
    path = session(scene, "https://shop.example/back")
    asking = {"host": "localhost", "hx-request": "true"}
    assert Client().get(path, {"known": "open-"}, headers=asking).status_code == 204
    pay(scene, path)
    told = Client().get(path, {"known": "open-"}, headers=asking)
    assert (told.headers["HX-Refresh"], "Refresh" in told.headers) == ("true", False)
