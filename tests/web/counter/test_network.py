"""The network drops: between scan and answer, before it, in two tabs. Never a double charge."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, Route, expect

from tests.flows.support import assert_books_hold
from tests.web.counter.test_sale import ask, result, scan
from tests.web.counter.till import code_of, in_the_books, open_at_till, payments_of
from tests.web.pages import aside, shot
from tests.web.world import World


@pytest.fixture
def page(browser: Browser, site: str, world: World) -> Page:
    return open_at_till(browser, site, world)


def cut(page: Page, times: int, *, after: bool) -> Callable[[], int]:
    """The next `times` sendings of a sale break: `after` the server did them, or before it hears of them.

    Returns how many broke so far.
    """
    broken = 0

    def break_off(route: Route) -> None:
        nonlocal broken
        if route.request.method != "POST" or broken >= times:
            return route.fallback()
        broken += 1
        if after:
            route.fetch(max_redirects=0)
        return route.abort("connectionreset")

    page.route("**/counter/sale/**", break_off)
    return lambda: broken


@pytest.mark.parametrize("after", [True, False], ids=["answer lost", "question lost"])
def test_a_cut_between_scan_and_answer_charges_once(page: Page, world: World, after: bool) -> None:
    """The page asks again by the same sale, and shows what became of it."""
    broken = cut(page, 2, after=after)
    ask(page, "1250")
    scan(page, aside(lambda: code_of(world.traveller)))
    expect(page.locator("#sale-says")).to_contain_text("do not take it again")
    shot(page, "counter-cut-off")
    result(page, "Paid")
    assert broken() == 2
    assert aside(lambda: in_the_books(world.shop)) == (1, 1250)
    aside(assert_books_hold)


@pytest.mark.parametrize("focused", ["#code", "[name=show]"])
def test_a_scan_before_the_script_is_there_is_held_for_it(page: Page, world: World, focused: str) -> None:
    """Sent by the form itself, a lost answer would end in the browser's error page. Its digits go into their
    field wherever the focus is: else its Enter would press whatever button has that."""
    code = aside(lambda: code_of(world.traveller))
    broken = cut(page, 1, after=True)
    scripts: list[Route] = []
    page.route("**/counter/sale.js", lambda route: scripts.append(route))  # noqa: PLW0108 - Playwright takes no builtin
    page.goto("/counter/")
    page.keyboard.type("1250")
    page.keyboard.press("Enter")
    expect(page.locator("#code")).to_be_focused()
    page.locator(focused).focus()
    scan(page, code)
    assert scripts
    assert broken() == 0
    scripts[0].continue_()
    result(page, "Paid")
    assert broken() == 1
    assert aside(lambda: in_the_books(world.shop)) == (1, 1250)


def test_the_form_works_by_itself_where_the_script_does_not_come(page: Page, world: World) -> None:
    code = aside(lambda: code_of(world.traveller))
    page.route("**/counter/sale.js", lambda route: route.abort())
    ask(page, "1250")
    scan(page, code)
    result(page, "Paid")
    assert aside(lambda: in_the_books(world.shop)) == (1, 1250)


def test_offline_for_seconds_and_back(page: Page, world: World) -> None:
    ask(page, "1250")
    code = aside(lambda: code_of(world.traveller))
    page.context.set_offline(True)
    scan(page, code)
    expect(page.locator("#sale-says")).to_contain_text("No connection")
    assert aside(lambda: payments_of(world.shop)) == []
    page.context.set_offline(False)
    result(page, "Paid")
    assert aside(lambda: in_the_books(world.shop)) == (1, 1250)


def test_a_reload_after_a_lost_answer_finds_the_payment(page: Page, world: World) -> None:
    cut(page, 1000, after=True)
    ask(page, "1250")
    scan(page, aside(lambda: code_of(world.traveller)))
    expect(page.locator("#sale-says")).to_contain_text("No connection")
    page.reload()
    result(page, "Paid")
    assert aside(lambda: in_the_books(world.shop)) == (1, 1250)


def test_going_back_to_the_keypad_leads_to_the_payment_nobody_saw(page: Page, world: World) -> None:
    """Not to a second sale for the same customer."""
    cut(page, 1000, after=True)
    ask(page, "1250")
    scan(page, aside(lambda: code_of(world.traveller)))
    expect(page.locator("#sale-says")).to_contain_text("No connection")
    page.goto("/counter/")
    result(page, "Paid")
    # It has been seen: the next sale is a new one.
    page.goto("/counter/")
    expect(page.locator("#keypad")).to_be_visible()
    assert aside(lambda: in_the_books(world.shop)) == (1, 1250)


def test_what_never_arrived_is_scanned_again_under_the_same_sale(page: Page, world: World) -> None:
    cut(page, 1000, after=False)
    ask(page, "1250")
    address = page.url
    scan(page, aside(lambda: code_of(world.traveller)))
    expect(page.locator("#sale-says")).to_contain_text("No connection")
    page.reload()
    expect(page.locator("#sale-says")).to_contain_text("Scan again")
    page.unroute("**/counter/sale/**")
    assert page.url == address
    scan(page, aside(lambda: code_of(world.traveller, 1)))
    result(page, "Paid")
    assert aside(lambda: in_the_books(world.shop)) == (1, 1250)


def test_a_second_code_for_a_sale_that_was_taken_moves_nothing(page: Page, world: World) -> None:
    """The answer was lost, the customer shows a fresh code, the assistant scans in another tab."""
    cut(page, 1000, after=True)
    ask(page, "1250")
    address = page.url
    scan(page, aside(lambda: code_of(world.traveller)))
    expect(page.locator("#sale-says")).to_contain_text("No connection")
    tab = page.context.new_page()
    tab.route("**/counter/sale/**", lambda route: route.fallback())
    tab.goto(address)
    result(tab, "Paid")
    assert aside(lambda: in_the_books(world.shop)) == (1, 1250)


def test_two_tabs_that_scan_at_once_take_one_payment(page: Page, world: World) -> None:
    ask(page, "1250")
    tab = page.context.new_page()
    tab.goto(page.url)
    expect(tab.locator("#code")).to_be_visible()
    first, second = aside(lambda: (code_of(world.traveller), code_of(world.traveller, 1)))
    page.locator("#code").fill(first)
    tab.locator("#code").fill(second)
    for one in (page, tab):
        one.evaluate("document.getElementById('take').requestSubmit()")
    for one in (page, tab):
        result(one, "Paid")
    second = "nothing was taken a second time"
    assert sum(one.locator(".alert").filter(has_text=second).count() for one in (page, tab)) == 1
    assert aside(lambda: in_the_books(world.shop)) == (1, 1250)


def test_a_double_click_is_one_click(page: Page, world: World) -> None:
    ask(page, "1250")
    page.locator("#code").fill(aside(lambda: code_of(world.traveller)))
    page.get_by_role("button", name="Take").dblclick()
    result(page, "Paid")
    assert aside(lambda: in_the_books(world.shop)) == (1, 1250)


def test_an_open_payment_says_that_the_line_is_down(page: Page, world: World) -> None:
    ask(page, "800")
    page.get_by_role("button", name="Show a code instead").click()
    result(page, "Let the customer scan")
    page.context.set_offline(True)
    expect(page.locator("#sale-says")).to_contain_text("What you see may be old")
    page.context.set_offline(False)
    expect(page.locator("#sale-says")).to_be_hidden()


def test_a_page_that_cannot_be_had_opens_when_the_network_is_back(page: Page) -> None:
    """Not the browser's own error page, on which the assistant would stand."""
    page.goto("/counter/")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.reload()
    page.context.set_offline(True)
    page.goto("/counter/day")
    expect(page.get_by_role("heading", name="No network")).to_be_visible()
    shot(page, "counter-no-network")
    kept = page.evaluate("caches.open('comptoir-counter').then(c => c.keys()).then(k => k.map(r => r.url))")
    assert [one for one in kept if "/static/" not in one] == [page.url.replace("/day", "/offline")]
    page.context.set_offline(False)
    expect(page.get_by_role("heading", name="No network")).to_be_hidden()
    assert page.url.endswith("/counter/day")


def test_without_network_the_page_is_in_the_language_last_chosen(page: Page) -> None:
    page.goto("/counter/")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    language = {
        "name": settings.LANGUAGE_COOKIE_NAME,
        "value": "nl",
        "url": page.url.removesuffix("counter/"),
    }
    page.context.add_cookies([language])  # type: ignore[list-item]
    page.goto("/counter/day")
    for _ in range(100):
        kept = page.evaluate("caches.match('/counter/offline').then((page) => page.text())")
        if "Geen netwerk" in kept:
            break
        page.wait_for_timeout(100)
    page.context.set_offline(True)
    page.goto("/counter/day")
    expect(page.get_by_role("heading", name="Geen netwerk")).to_be_visible()


def test_a_sale_is_found_again_after_the_device_was_without_network(page: Page, world: World) -> None:
    """Sent, cut off, the page loaded anew into nothing: the sale's own page comes back with its result."""
    page.goto("/counter/")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    cut(page, 1000, after=True)
    ask(page, "1250")
    scan(page, aside(lambda: code_of(world.traveller)))
    expect(page.locator("#sale-says")).to_contain_text("No connection")
    page.context.set_offline(True)
    page.reload()
    expect(page.get_by_role("heading", name="No network")).to_be_visible()
    page.context.set_offline(False)
    result(page, "Paid")
    assert aside(lambda: in_the_books(world.shop)) == (1, 1250)
