"""The house style: money and days in five languages, the keyboard, the theme, the policy."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.template import Context, Template
from django.test import Client
from django.utils import timezone, translation
from playwright.sync_api import Browser, expect

from comptoir.kernel.money import Money
from comptoir.web.components.zones import zone_of
from tests.conftest import Database
from tests.web.pages import DESK, complaints, open_as
from tests.web.world import PASSWORD, World

AT = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)


def said(template: str, language: str = "en", zone: str = "Europe/Brussels", **given: object) -> str:
    with translation.override(language), timezone.override(ZoneInfo(zone)):
        return (
            Template("{% load comptoir %}" + template)
            .render(Context(given))
            .replace("\xa0", " ")
            .replace("\u202f", " ")
        )


@pytest.mark.parametrize(
    ("language", "money", "yen", "day", "moment"),
    [
        ("zh-hans", "€1,234.50", "JP¥1,200", "2026年3月29日", "2026年3月29日 00:30:00"),
        ("nl", "€ 1.234,50", "JP¥ 1.200", "29 mrt 2026", "29 mrt 2026, 00:30:00"),
        ("fr", "1 234,50 €", "1 200 JPY", "29 mars 2026", "29 mars 2026, 00:30:00"),
        ("de", "1.234,50 €", "1.200 ¥", "29.03.2026", "29.03.2026, 00:30:00"),
        ("en", "€1,234.50", "JP¥1,200", "29 Mar 2026", "29 Mar 2026, 00:30:00"),
    ],
)
def test_money_and_time_are_said_as_the_language_says_them(
    language: str, money: str, yen: str, day: str, moment: str
) -> None:
    shown = said("{{ a|money }}|{{ y|money }}|{{ at|day }}|{{ at|moment }}", language,
                 a=Money(123450, "EUR"), y=Money(1200, "JPY"), at=AT)  # fmt: skip
    assert shown.split("|") == [money, yen, day, moment]


def test_an_instant_is_shown_where_the_visitor_stands() -> None:
    assert said("{{ at|clock }}", zone="Asia/Shanghai", at=AT) == "07:30"
    assert said("{{ at|clock }}", zone="Europe/London", at=AT) == "23:30"
    assert (zone_of("BE").key, zone_of("DE").key, zone_of("GB").key, zone_of("??").key) == (
        "Europe/Brussels",
        "Europe/Berlin",
        "Europe/London",
        "UTC",
    )


def test_both_amounts_and_a_state_are_said_in_words() -> None:
    both = said("{% amount a b %}", a=Money(4250, "EUR"), b=Money(33575, "CNY"))
    assert "€42.50" in both
    assert "CN¥335.75" in both
    assert "Paid" in said("{% state_badge 'SUCCESS' %}")
    assert "Betaald" in said("{% state_badge 'success' %}", "nl")
    assert said("{{ n|money }}", n=None) == ""


def test_a_code_in_a_page_is_drawn_without_style_or_text() -> None:
    drawn = said("{% qr t l %}", t="https://x.example/<script>", l="Pay <me>")
    assert drawn.count("<svg") == 1
    assert "style=" not in drawn
    assert "script" not in drawn
    assert "Pay &lt;me&gt;" in drawn


def test_the_policy_names_only_us_and_the_page_s_own_nonce(database: Database) -> None:
    client = Client(headers={"host": "localhost"})
    first, second = (client.get("/login").headers["Content-Security-Policy"] for _ in range(2))
    assert first != second, "a nonce is used once"
    assert "default-src 'none'" in first
    assert "frame-ancestors 'none'" in first
    assert "unsafe" not in first
    assert "http" not in first
    answer = client.get("/login")
    assert answer.headers["Cache-Control"] == "no-store" or "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["Permissions-Policy"].startswith("camera=()")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("path", "accepts", "cookie", "spoken"),
    [
        ("/wallet/login", "", None, "zh-hans"),
        ("/wallet/login", "sv,fi", None, "zh-hans"),
        ("/wallet/login", "nl-BE,nl;q=0.9", None, "nl"),
        ("/wallet/login", "zh-CN", "de", "de"),
        ("/login", "", None, "en"),
        ("/login", "fr-CH", None, "fr"),
    ],
)
def test_which_language_a_page_speaks(
    database: Database, path: str, accepts: str, cookie: str | None, spoken: str
) -> None:
    client = Client(headers={"host": "localhost", "accept-language": accepts})
    if cookie:
        client.post("/preferences", {"language": cookie, "next": "/login"})
    assert f'<html lang="{spoken}"' in client.get(path).content.decode()


@pytest.mark.parametrize("target", ["//evil.example/", "https://evil.example/", "javascript:alert(1)"])
def test_a_choice_leads_nowhere_else(database: Database, target: str) -> None:
    answer = Client(headers={"host": "localhost"}).post("/preferences", {"theme": "dark", "next": target})
    assert (answer.status_code, answer["Location"]) == (303, "/")
    assert answer.cookies["theme"].value == "dark"


def test_somebody_logs_in_and_out_with_the_keyboard_alone(world: World, site: str, browser: Browser) -> None:
    page = open_as(browser, site, None, size=DESK)
    page.goto("/login")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type(world.shop.cashier.login)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/counter/till*")
    page.get_by_label("Language, theme and login").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Dark").focus()
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.wait_for_load_state()
    expect(page.locator("body")).to_have_css("background-color", "rgb(16, 20, 31)")
    page.get_by_label("Language, theme and login").press("Enter")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Log out")).to_be_hidden()
    page.get_by_label("Language, theme and login").press("Enter")
    page.get_by_role("button", name="Log out").press("Enter")
    page.wait_for_url("**/login")
    assert not complaints(page), complaints(page)
