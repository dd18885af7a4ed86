"""The consent page in a real browser: what a traveller reads, scans, and where the browser is sent then."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
import zxingcpp
from django.conf import settings
from django.test import Client
from PIL import Image
from playwright.sync_api import Browser

from comptoir.acquiring.api import Period, PeriodType, Trial
from comptoir.flows import api as flows
from comptoir.flows.agreements import auth_code, consent_address
from comptoir.kernel.clock import utc_now
from comptoir.kernel.money import Money
from tests.conftest import Database
from tests.flows.agreements import approval, asked, exchange
from tests.flows.support import CLIENT, Scene
from tests.web.pages import assert_accessible, shot
from tests.web.test_cashier import PHONE, aside, fresh_scene, opened


def ask(scene: Scene, age: timedelta = timedelta(0), **changes: str) -> str:
    command = asked(scene, **changes)
    assert scene.one(command, now=utc_now() - age).code == flows.OK
    return command.consent_code


def test_a_traveller_scans_approves_and_is_sent_back_with_the_code(
    database: Database, site: str, browser: Browser, tmp_path: Path
) -> None:
    scene = aside(fresh_scene)
    # The shop's own page: the site itself stands for it, so that the browser really arrives.
    code = aside(lambda: ask(scene, redirect_url=f"{site}/?shop=1&authCode=forged#top"))
    page, complaints = opened(browser, f"{site}/a/{code}", "zh-CN")
    assert page.get_by_text("Chocolaterie Sablon").is_visible()
    assert page.get_by_text("希望开通免密支付").is_visible()
    assert_accessible(page)
    shot(page, "consent")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"], "nothing runs off a phone's screen"
    picture = tmp_path / "phone.png"
    page.screenshot(path=picture, full_page=True)
    (found,) = zxingcpp.read_barcodes(Image.open(picture))
    assert found.text == consent_address(settings.COMPTOIR.public_url, code)

    assert aside(lambda: scene.one(approval(scene, code), now=utc_now())).code == flows.OK
    # The page finds out by itself, and the browser is at the shop.
    page.wait_for_url(f"{site}/?shop=1&*")
    arrived = urlsplit(page.url)
    assert parse_qsl(arrived.query) == [
        ("shop", "1"), ("authCode", auth_code(code)), ("authState", "customer 7"),
    ]  # fmt: skip
    assert arrived.fragment == "top"
    assert page.evaluate("document.referrer") == "", "the page's address stays with us"
    assert not complaints, complaints

    took = exchange(scene.merchant_id, auth_code(code))
    assert aside(lambda: scene.one(took, now=utc_now())).code == flows.OK
    page.goto(f"{site}/a/{code}")
    assert page.get_by_text("已开通免密支付").is_visible(), "a code that was used is shown to nobody"


def test_who_declines_is_led_back_without_a_code(database: Database, site: str, browser: Browser) -> None:
    scene = aside(fresh_scene)
    code = aside(lambda: ask(scene))
    aside(lambda: scene.one(flows.DeclineAgreement(consent_code=code), now=utc_now()))
    page, complaints = opened(browser, f"{site}/a/{code}")
    assert page.get_by_text("You declined").is_visible()
    back = page.get_by_role("link", name="Back to the shop")
    assert back.get_attribute("href") == "https://shop.example/back?lang=zh&authState=customer+7"
    assert not complaints, complaints


def get(path: str) -> tuple[int, str, dict[str, str]]:
    reply = Client().get(path, headers={"host": "localhost"})
    return reply.status_code, reply.content.decode(), dict(reply.headers)


def test_what_is_over_sends_nobody_anywhere(database: Database) -> None:
    scene = fresh_scene()
    late, unused, ended = ask(scene, timedelta(hours=1)), ask(scene, timedelta(minutes=20)), ask(scene)
    for code, age in ((unused, 11), (ended, 0)):
        assert scene.one(approval(scene, code), now=utc_now() - timedelta(minutes=age)).code == flows.OK
    own = scene.one(exchange(scene.merchant_id, auth_code(ended)), now=utc_now()).agreement
    assert own is not None
    scene.one(flows.EndAgreement(wallet_id=scene.wallet_id, agreement_id=own.id), now=utc_now())
    for code, text in (
        (late, "已过期"), (unused, "已过期"), (ended, "免密支付已终止"),
    ):  # fmt: skip
        status, page, headers = get(f"/a/{code}")
        assert (status, text in page) == (200, True)
        assert "Location" not in headers
        assert "Refresh" not in headers
        assert auth_code(code) not in page


def test_the_page_promises_the_browser_what_the_cashier_does(database: Database) -> None:
    scene = fresh_scene()
    code = ask(scene)
    for path in (f"/a/{code}", f"/a/{code}/code.svg"):
        status, _, headers = get(path)
        assert status == 200
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    scene.one(approval(scene, code), now=utc_now())
    status, _, headers = get(f"/a/{code}")
    assert (status, headers["Cache-Control"], headers["Referrer-Policy"]) == (302, "no-store", "no-referrer")
    assert headers["Location"].startswith("https://shop.example/back?lang=zh&authCode=")
    assert headers["Location"].endswith("&authState=customer+7")
    assert "forged" not in headers["Location"]


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_the_page_only_reads(database: Database, method: str) -> None:
    reply = getattr(Client(), method)(f"/a/{ask(fresh_scene())}", headers={"host": "localhost"})
    assert reply.status_code == 405


@pytest.mark.parametrize("path", ["/a/1", f"/a/{'0' * 32}", f"/a/{'0' * 32}/code.svg"])
def test_a_code_that_is_nobodys_shows_nothing(path: str, database: Database) -> None:
    assert get(path)[0] == 404


def subscribe(scene: Scene, redirect_url: str) -> str:
    """The code of a page that asks for a payment every month."""
    command = flows.OpenSubscription(
        agreement=asked(scene, redirect_url=redirect_url, state_ref="S1"),
        request_ref="S1",
        input_hash=b"1" * 32,
        description="Pralines <monthly>",
        amount=Money(1000, "EUR"),
        period=Period(PeriodType.MONTH, 1),
        start_at=utc_now().replace(microsecond=0),
        trials=(Trial(0, 1, 2),),
        ceiling=1500,
    )
    assert scene.one(command, now=utc_now()).code == flows.OK
    return command.agreement.consent_code


def test_a_subscription_that_the_shop_withdrew_says_so_at_once(
    database: Database, site: str, browser: Browser
) -> None:
    scene = aside(fresh_scene)
    code = aside(lambda: subscribe(scene, "https://shop.example/?shop=1"))
    page, complaints = opened(browser, f"{site}/a/{code}")
    assert page.get_by_text("Scan with your wallet").is_visible()
    end = flows.EndSubscription(
        merchant_id=scene.merchant_id, client_ref=CLIENT, at_once=True, request_ref="S1"
    )
    assert aside(lambda: scene.one(end, now=utc_now())).code == flows.OK
    # The open page finds out by itself.
    page.get_by_text("The shop has withdrawn this").wait_for()
    assert page.get_by_text("Nothing will be taken").is_visible()
    assert page.locator("img.code").count() == 0
    back = page.get_by_role("link", name="Back to the shop")
    assert back.get_attribute("href") == "https://shop.example/?shop=1&subscriptionRequestId=S1&agreed=false"
    assert_accessible(page)
    shot(page, "consent-withdrawn")
    assert not complaints, complaints


def test_a_subscription_says_what_is_paid_when_and_leads_back(
    database: Database, site: str, browser: Browser
) -> None:
    scene = aside(fresh_scene)
    code = aside(lambda: subscribe(scene, f"{site}/?shop=1"))
    page, complaints = opened(browser, f"{site}/a/{code}")
    for text in ("Pralines <monthly>", "€10.00", "every month", "At most in a period", "€15.00"):
        assert page.get_by_text(text).first.is_visible(), text
    assert page.get_by_text("Periods 1 to 2").is_visible()
    assert page.get_by_text("€0.00").is_visible()
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"], "nothing runs off a phone's screen"
    assert aside(lambda: scene.one(approval(scene, code), now=utc_now())).code == flows.OK
    page.wait_for_url(f"{site}/?shop=1&*")
    assert parse_qsl(urlsplit(page.url).query) == [
        ("shop", "1"), ("subscriptionRequestId", "S1"), ("agreed", "true"),
    ]  # fmt: skip
    assert not complaints, complaints
