"""Every page, for somebody it is for: both themes, double text size, the keyboard, and what axe finds."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.db import connection
from django.urls import reverse
from playwright.sync_api import Browser, Page

from comptoir.identity.api import PersonView
from tests.web.pages import aside, assert_accessible, assert_fits, complaints, open_as, shot
from tests.web.test_every_address import COUNTER, MERCHANT, SHARED, SIGNIN, WALLET, Row
from tests.web.things import Things, make_things
from tests.web.world import World

pytestmark = pytest.mark.slow

#: Widths of tablets and desks: below the side bar, where it begins, and above.
WIDTHS = (768, 1024, 1100, 1366)
#: The language whose words are the longest.
WORDY = "fr"
#: The smallest screen that is promised, and where text is twice as large.
SMALL = {"width": 360, "height": 740}
ROOMS = {"shared": SHARED, "signin": SIGNIN, "wallet": WALLET, "counter": COUNTER, "merchant": MERCHANT}


def somebody(row: Row, world: World, things: Things) -> PersonView | None:
    """Who looks: an owner of what stands in the address, or anybody of its roles."""
    if row.roles is None:
        return None
    for thing in row.parts.values():
        for person in things[thing].owners:
            if person.role in row.roles:
                return person
    return world.person(sorted(row.roles)[0])


def is_page(page: Page, address: str) -> bool:
    """Whether there is something to look at: not a redirect, a picture, a part of a page, or a mere POST."""
    answer = page.request.get(address, max_redirects=0)
    assert answer.status < 500, f"{address} answers {answer.status}"
    is_html = answer.headers.get("content-type", "").startswith("text/html")
    return answer.status == 200 and is_html and "<html" in answer.text()


@pytest.mark.parametrize("room", ROOMS)
def test_every_page_holds(room: str, world: World, site: str, browser: Browser) -> None:
    things = aside(lambda: make_things(world))
    aside(make_amounts_long)
    seen, wrong = 0, []
    for row in ROOMS[room]:
        address = reverse(row.name, kwargs={part: things[thing].key for part, thing in row.parts.items()})
        # Colors that are on their way to another theme have no contrast to judge.
        page = open_as(
            browser, site, somebody(row, world, things), size=SMALL, recent=True, reduced_motion="reduce"
        )
        if is_page(page, address):
            seen += 1
            try:
                look(page, address, f"every/{room}/{row.name}")
                if page.locator(".table").count():
                    look_at_tables(page, site, f"every/{room}/{row.name}")
            except AssertionError as found:
                wrong.append(f"{row.name}: {found}")
        page.context.close()
    assert seen, room
    assert not wrong, "\n".join(wrong)


def make_amounts_long() -> None:
    """As after a good day: what was taken has five digits. Pages that show it are only looked at."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE acquiring_payment SET amount = amount * 1234, settlement = settlement * 1234,"
            " wallet_total = wallet_total * 1234"
        )


def look(page: Page, address: str, name: str) -> None:
    page.goto(address)
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        assert_accessible(page)
        assert_fits(page)
        shot(page, f"{name}-{theme}")
    assert_amounts_are_whole(page)
    assert_keyboard_reaches_everything(page)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert_fits(page)
    assert_nothing_is_cut(page)
    shot(page, f"{name}-double")
    assert not complaints(page), (address, complaints(page))


def look_at_tables(page: Page, site: str, name: str) -> None:
    """With large letters, then in the language of long words from tablet to desk."""
    assert_tables_hold(page)
    page.context.add_cookies([{"name": settings.LANGUAGE_COOKIE_NAME, "value": WORDY, "url": site}])
    page.reload()
    page.evaluate("document.querySelectorAll('main details').forEach((one) => { one.open = true; })")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert_fits(page)
        assert_tables_hold(page)
        assert_amounts_are_whole(page)
        shot(page, f"{name}-{width}")


def assert_tables_hold(page: Page) -> None:
    """Each table is within its card, with all its cells."""
    wrong = page.evaluate(
        """() => [...document.querySelectorAll(".table")].filter((one) => one.checkVisibility())
          .flatMap((table) => {
            const card = table.closest(".card");
            const inner = parseFloat(getComputedStyle(card).paddingRight);
            const right = card.getBoundingClientRect().right - inner + 1;
            return [table, ...table.querySelectorAll("td, th[scope=row], td *")]
              .filter((one) => one.getBoundingClientRect().right > right)
              .map((one) => one.outerHTML.slice(0, 120));
          })"""
    )
    assert not wrong, (page.url, page.viewport_size, "runs out of its card", wrong[:3])


#: Pieces of text that stand on more than one line: amounts wherever they are, and words within tables.
_BROKEN = """() => {
  const blank = "[\\u00a0\\u202f]";
  const sign = `([€¥]${blank}?)?`, unit = `(${blank}[€A-Z]+)?`, digit = String.raw`\\d`;
  const amount = new RegExp(`${sign}${digit}(${digit}|[.,]|${blank})*[.,]${digit}{2}${unit}`, "g");
  const word = /\\p{L}{4,}/gu;
  const found = [], walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  const linesOf = (text, match) => {
    const range = document.createRange();
    range.setStart(text, match.index);
    range.setEnd(text, match.index + match[0].length);
    return new Set([...range.getClientRects()].filter((one) => one.width).map((one) => Math.round(one.top)));
  };
  while (walker.nextNode()) {
    const text = walker.currentNode, parent = text.parentElement;
    if (!parent.checkVisibility() || parent.closest(".mono, .key, .secret, svg, .hidden-text")) continue;
    for (const pattern of parent.closest(".table tbody") ? [amount, word] : [amount]) {
      for (const match of text.data.matchAll(pattern)) {
        if (linesOf(text, match).size > 1) found.push(match[0]);
      }
    }
  }
  return found;
}"""


def assert_amounts_are_whole(page: Page) -> None:
    """No amount stands on two lines, and in tables no word does."""
    broken = page.evaluate(_BROKEN)
    assert not broken, (page.url, page.viewport_size, "stands on two lines", broken)


#: What a hand can press or fill in, and the Tab key has to come to. Of radio buttons one a group is enough.
_REACHABLE = """() => [...document.querySelectorAll(
    "a[href], button, input, select, textarea, summary, [tabindex]")]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.disabled && one.tabIndex >= 0)
  .filter((one) => !one.matches("input[type=hidden]") && !one.closest("[inert]"))
  .map((one) => one.matches("input[type=radio]")
    ? document.querySelector(`input[type=radio][name="${one.name}"]`) : one)"""
#: A date field is more than one stop, and the browser's own frame is one.
_STOPS = 5


def assert_keyboard_reaches_everything(page: Page) -> None:
    """The Tab key alone leads to everything that can be pressed or filled in, and one sees where one is."""
    page.evaluate(f"window.toReach = new Set(({_REACHABLE})()); document.activeElement.blur()")
    for _ in range(_STOPS * (page.evaluate("window.toReach.size") + 1)):
        page.keyboard.press("Tab")
        left, seen = page.evaluate(
            """() => {
              const at = document.activeElement;
              const group = at.matches("input[type=radio]") &&
                document.querySelector(`input[type=radio][name="${at.name}"]`);
              window.toReach.delete(group || at);
              const style = getComputedStyle(at);
              const marked = style.outlineStyle !== "none" || style.boxShadow !== "none" ||
                getComputedStyle(at.parentElement || at).outlineStyle !== "none";
              // A date's parts show by themselves which of them one is in.
              const shown = marked || at === document.body || at.matches("input[type=date]");
              return [window.toReach.size, shown || at.outerHTML.slice(0, 120)];
            }"""
        )
        assert seen is True, (page.url, "nobody sees that the keyboard is here", seen)
        if not left:
            return
    missed = page.evaluate("[...window.toReach].map((one) => one.outerHTML.slice(0, 120))")
    assert not missed, (page.url, "the keyboard does not come to", missed)


def assert_nothing_is_cut(page: Page) -> None:
    """No text is wider than the box that hides what runs over."""
    cut = page.evaluate(
        """() => [...document.querySelectorAll("main *, header *")].filter((one) => {
          const style = getComputedStyle(one);
          const hides = ["hidden", "clip"].includes(style.overflowX) && style.position !== "absolute";
          const runsOver = one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 1;
          return hides && runsOver && !one.matches("input, select");
        }).map((one) => one.outerHTML.slice(0, 120))"""
    )
    assert not cut, (page.url, cut)
