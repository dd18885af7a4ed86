"""The cashier page in a real browser: what a buyer sees, and what a camera reads off the screen."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import zxingcpp
from django.conf import settings
from PIL import Image
from playwright.sync_api import Browser, Page

from comptoir.acquiring.api import CaptureMode, Product
from comptoir.flows import api as flows
from comptoir.identity import api as identity
from comptoir.kernel.clock import utc_now
from comptoir.standards import order_code
from tests.conftest import Database
from tests.flows.support import Scene, make_scene
from tests.web.pages import aside, assert_accessible, shot

#: Well formed, and of no order.
NOBODYS = "281688040000000000000000"

PHONE = {"width": 360, "height": 740}


def order(scene: Scene, now: datetime, **given: object) -> str:
    outcome = scene.one(
        scene.pay(
            "O1",
            4250,
            product=Product.CASHIER,
            scenario=None,
            redirect_url="https://shop.example/return?order=1",
            details={"storeName": "Chocolaterie <Sablon>", "description": "Pralines"},
            **given,
        ),
        now=now,
    )
    assert outcome.payment is not None
    assert outcome.payment.order_code is not None
    return outcome.payment.order_code


def fresh_scene() -> Scene:
    scene = make_scene()
    scene.desk = flows.Desk(100_000)
    return scene


def opened(browser: Browser, url: str, language: str = "en") -> tuple[Page, list[str]]:
    """The page on a phone, and everything the browser complained of."""
    page = browser.new_page(viewport=PHONE, locale=language)  # type: ignore[arg-type]
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(url)
    return page, complaints


def test_a_buyer_scans_pays_and_goes_back(
    database: Database, site: str, browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "COMPTOIR", replace(settings.COMPTOIR, fx_max_age_days=100_000))
    scene = aside(fresh_scene)
    aside(lambda: identity.ensure_platform_key(now=utc_now()))
    digits = aside(lambda: order(scene, utc_now()))
    page, complaints = opened(browser, f"{site}/c/{digits}", "zh-CN")
    assert page.get_by_text("Chocolaterie <Sablon>").is_visible()
    assert page.get_by_text("€42.50").is_visible()
    assert page.get_by_text("用钱包扫一扫付款").is_visible()
    # 1 EUR is 7.90 CNY, and the margin 1 percent.
    assert page.get_by_text("约 ¥339.11").is_visible()
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"], "nothing runs off a phone's screen"

    picture = tmp_path / "phone.png"
    page.screenshot(path=picture, full_page=True)
    assert_accessible(page)
    shot(page, "order-open")
    (found,) = zxingcpp.read_barcodes(Image.open(picture))
    assert order_code.parse(found.text, settings.COMPTOIR.public_url) == digits

    def pay() -> str:
        claimed = scene.one(flows.Claim(order_code=digits, wallet_id=scene.wallet_id), now=utc_now())
        assert claimed.payment is not None
        assert claimed.payment.authorization_id is not None
        confirm = flows.Confirm(wallet_id=scene.wallet_id, authorization_id=claimed.payment.authorization_id)
        return scene.one(confirm, now=utc_now()).code

    assert aside(pay) == flows.OK
    # The page finds out by itself.
    page.get_by_text("付款成功").wait_for()
    shot(page, "order-paid")
    back = page.get_by_role("link", name="返回商家")
    assert (back.get_attribute("href") or "").startswith("https://shop.example/return?order=1&paymentId=")
    assert not complaints, complaints


@pytest.mark.parametrize("dark", [False, True])
def test_an_order_whose_time_is_up_says_so(
    dark: bool, database: Database, site: str, browser: Browser
) -> None:
    scene = aside(fresh_scene)
    aside(lambda: identity.ensure_platform_key(now=utc_now()))
    digits = aside(lambda: order(scene, utc_now() - timedelta(hours=1)))
    page, _ = opened(browser, f"{site}/c/{digits}")
    page.emulate_media(color_scheme="dark" if dark else "light")
    assert page.get_by_text("This order is closed").is_visible()
    assert page.get_by_text("You have not been charged.").is_visible()
    assert page.get_by_alt_text("QR").count() == 0
    assert_accessible(page)
    shot(page, f"order-closed-{'dark' if dark else 'light'}")


@pytest.mark.parametrize("path", ["/c/1", f"/c/{NOBODYS}", f"/c/{NOBODYS}/code.svg"])
def test_a_code_that_is_nobodys_shows_nothing(path: str, database: Database, site: str) -> None:
    from django.test import Client

    assert Client().get(path, headers={"host": "localhost"}).status_code == 404


@pytest.mark.parametrize(
    "target", ["javascript:alert(1)", "https://[broken", "https:///nowhere", "//x.example"]
)
def test_a_redirect_that_is_no_web_address_is_no_link(target: str, database: Database, site: str) -> None:
    from django.test import Client

    scene = fresh_scene()
    identity.ensure_platform_key(now=utc_now())
    outcome = scene.one(
        scene.pay("O1", product=Product.CASHIER, scenario=None, redirect_url=target),
        now=utc_now() - timedelta(hours=1),
    )
    assert outcome.payment is not None
    digits = str(outcome.payment.order_code)
    closed = scene.one(flows.Claim(order_code=digits, wallet_id=scene.wallet_id), now=utc_now())
    assert closed.payment is not None
    page = Client().get(f"/c/{digits}", headers={"host": "localhost"})
    assert page.status_code == 200
    assert "Refresh" not in page.headers
    assert "返回商家" not in page.content.decode()
    assert target.encode() not in page.content


def test_an_order_whose_money_is_held_says_so(database: Database, site: str) -> None:
    from django.test import Client

    scene, now = fresh_scene(), utc_now()
    identity.ensure_platform_key(now=now)
    digits = order(scene, now, capture_mode=CaptureMode.MANUAL)
    claimed = scene.one(flows.Claim(order_code=digits, wallet_id=scene.wallet_id), now=now).payment
    assert claimed is not None
    confirm = flows.Confirm(wallet_id=scene.wallet_id, authorization_id=claimed.authorization_id)
    assert scene.one(confirm, now=now).code == flows.OK
    held = Client().get(f"/c/{digits}", headers={"host": "localhost"}).content.decode()
    assert "已授权" in held
    assert "付款成功" not in held
    scene.one(scene.capture("C1", claimed.id, 4250), now=now)
    assert "付款成功" in Client().get(f"/c/{digits}", headers={"host": "localhost"}).content.decode()
