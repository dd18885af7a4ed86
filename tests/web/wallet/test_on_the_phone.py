"""The wallet as a phone shows it: on small screens, with the browser's back button, with the network away."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.web.pages import (
    DESK,
    aside,
    assert_accessible,
    assert_fits,
    open_as,
    shot,
)
from tests.web.wallet.support import FULL, WRONG_PIN, asked, own_balance, type_pin
from tests.web.world import World

#: Phones as their browsers leave them below an address bar.
PHONES = {"390": {"width": 390, "height": 664}, "360": {"width": 360, "height": 600}}
LANGUAGES = ("zh-hans", "en", "nl", "fr", "de")


def in_view(page: Page, what: Locator) -> None:
    """Seen whole without scrolling, and not below something else."""
    page.wait_for_load_state()
    box = what.bounding_box()
    size = page.viewport_size
    assert box is not None
    assert size is not None
    assert box["y"] >= 0, what
    assert box["y"] + box["height"] <= size["height"], (what, box)
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    covered = "(one, [x, y]) => !one.contains(document.elementFromPoint(x, y))"
    assert not what.evaluate(covered, list(middle)), f"{what} is covered"


@pytest.mark.parametrize("phone", PHONES)
def test_amounts_keys_and_pay_are_in_view_at_once(
    browser: Browser, site: str, world: World, phone: str
) -> None:
    one = aside(lambda: asked(world, 123_45))
    held = aside(lambda: asked(world, 1000, hold=True))
    for language, which in [*((language, one) for language in LANGUAGES), ("de", held)]:
        page = open_as(browser, site, world.traveller.person, size=PHONES[phone], language=language)
        page.goto(f"/wallet/asks/{which.id}")
        in_view(page, page.locator(".amount-huge"))
        in_view(page, page.locator(".amount-other"))
        for key in page.locator("[data-key]").all():
            in_view(page, key)
            box = key.bounding_box()
            assert box is not None
            assert box["height"] >= 44
        in_view(page, page.locator("button[value=pay]"))
        in_view(page, page.locator("button[value=decline]"))
        assert_fits(page)
        shot(page, f"wallet-ask-{phone}-{language}{'-held' if which is held else ''}")
        if language == "en":
            assert_accessible(page)
            type_pin(page, WRONG_PIN)
            page.get_by_role("button", name="Pay").click()
            expect(page.get_by_role("alert")).to_contain_text("Wrong PIN. 4 tries left")
            in_view(page, page.get_by_role("alert"))
            in_view(page, page.locator(".amount-huge"))
            in_view(page, page.locator("button[value=pay]"))
            shot(page, f"wallet-ask-{phone}-wrong")
        page.context.close()
    assert own_balance(world) == FULL


def test_the_question_on_a_desk(browser: Browser, site: str, world: World) -> None:
    one = aside(lambda: asked(world))
    page = open_as(browser, site, world.traveller.person, size=DESK, dark=True)
    page.goto(f"/wallet/asks/{one.id}")
    for what in (".amount-huge", "[data-key='1']", "button[value=pay]", "button[value=decline]"):
        in_view(page, page.locator(what))
    assert_accessible(page)
    shot(page, "wallet-ask-desk-dark")


def test_back_after_a_wrong_pin_leads_to_the_result(browser: Browser, site: str, world: World) -> None:
    page = open_as(browser, site, world.traveller.person)
    one = aside(lambda: asked(world))
    page.goto("/wallet/")
    page.goto(f"/wallet/asks/{one.id}")
    for pin in (WRONG_PIN, WRONG_PIN):
        type_pin(page, pin)
        page.get_by_role("button", name="Pay").click()
        expect(page.get_by_role("alert")).to_contain_text("Wrong PIN")
    page.wait_for_load_state()  # its scripts have made the answer a page of its own
    page.reload()
    expect(page.locator("#pin-problem")).to_be_empty()
    type_pin(page)
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_role("heading", name="Paid")).to_be_visible()
    for _ in range(2):
        page.go_back()
        expect(page.get_by_role("heading", name="Paid")).to_be_visible()
    assert own_balance(world) == FULL - one.total.minor


FORMS: dict[str, dict[str, str]] = {
    "/wallet/scan": {"text": "123"},
    "/wallet/limits": {"no_pin": "5", "payment": "5", "day": "x"},
    "/wallet/pin": {"pin": WRONG_PIN, "new": "111111", "again": "222222"},
    "/wallet/login": {"login": "139", "password": "wrong"},
}


def test_back_to_a_refused_form_asks_nothing_of_the_browser(
    browser: Browser, site: str, world: World
) -> None:
    for address, typed in FORMS.items():
        person = None if address.endswith("login") else world.traveller.person
        page = open_as(browser, site, person)
        page.goto(address)
        for name, value in typed.items():
            page.locator(f"input[name={name}]").last.fill(value)
        page.locator("main form").last.evaluate("form => { form.noValidate = true; form.requestSubmit(); }")
        expect(page.get_by_role("alert").filter(has_text=".").first).to_be_visible()
        page.wait_for_load_state()  # its scripts have made the answer a page of its own
        page.goto("/wallet/offline")
        answer = page.go_back()
        assert answer is None or answer.request.method == "GET", address
        expect(page.locator("main form").last).to_be_visible()
        page.context.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_sections_are_on_the_narrowest_screen(
    browser: Browser, site: str, world: World, language: str
) -> None:
    page = open_as(browser, site, world.traveller.person, size=PHONES["360"], language=language)
    page.goto("/wallet/")
    bar = page.locator(".nav")
    assert bar.evaluate("nav => nav.scrollWidth <= nav.clientWidth"), "a section is cut off"
    widths = bar.locator("a").evaluate_all("all => all.map((one) => one.getBoundingClientRect().width)")
    assert min(widths) >= 44
    shot(page, f"wallet-home-360-{language}")


def test_a_page_without_network_opens_by_itself_when_it_is_back(
    browser: Browser, site: str, world: World
) -> None:
    page = open_as(browser, site, world.traveller.person)
    page.goto("/wallet/")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.reload()
    page.context.set_offline(True)
    page.goto("/wallet/movements")
    expect(page.get_by_role("heading", name="No network")).to_be_visible()
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    expect(page.get_by_role("link", name="Pay code")).to_be_visible()
    shot(page, "wallet-no-network")
    page.context.set_offline(False)
    expect(page.get_by_role("heading", name="Movements")).to_be_visible()
