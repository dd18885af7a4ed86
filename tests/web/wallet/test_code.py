"""The pay code: shown, scanned, paid; without a network; and when it must not be shown."""

from __future__ import annotations

import io
import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby

import pytest
import segno
from django.conf import settings
from django.http import HttpResponse
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from comptoir.identity.api import PersonView
from comptoir.kernel.clock import utc_now
from comptoir.standards.payment_code import Form, build, window_of
from comptoir.wallet import api as wallet
from tests.flows.support import assert_books_hold
from tests.web.pages import (
    aside,
    assert_accessible,
    assert_fits,
    client_of,
    complaints,
    open_as,
    shot,
)
from tests.web.wallet.support import (
    NARROW,
    WRONG_PIN,
    charge,
    own_balance,
    phone_with_code,
    scanned,
    type_pin,
)
from tests.web.world import PIN, World


@pytest.fixture
def phone(browser: Browser, site: str, world: World) -> Iterator[Page]:
    page = phone_with_code(browser, site, world)
    yield page
    page.context.close()


def one_code(page: Page) -> str:
    """The digits on the screen: bars, QR code and text say the same."""
    expect(page.get_by_role("img", name="Bar code for the shop")).to_be_visible()
    expect(page.locator("[data-part=digits] span").first).to_have_text(re.compile("^28"))
    for _ in range(3):
        shown = page.locator("[data-part=digits]").inner_text()
        read = scanned(page)
        if page.locator("[data-part=digits]").inner_text() == shown:
            break  # and not renewed meanwhile
    (digits,) = read
    assert re.sub(r"\s", "", shown) == digits
    return digits


def test_a_shop_scans_the_screen_and_is_paid(phone: Page, world: World) -> None:
    digits = one_code(phone)
    assert len(digits) == 18
    shot(phone, "wallet-code")
    assert_accessible(phone)
    assert_fits(phone)
    outcome = aside(lambda: charge(world, digits))
    assert outcome.code == "ok"
    phone.wait_for_url("**/wallet/results/*")
    expect(phone.get_by_role("heading", name="Paid")).to_be_visible()
    expect(phone.get_by_text("Chocolaterie Sablon")).to_be_visible()
    expect(phone.get_by_text("€10.00")).to_be_visible()
    shot(phone, "wallet-result-paid")
    assert_accessible(phone)
    assert complaints(phone) == []
    assert own_balance(world) == 1_000_000 - 7979
    aside(assert_books_hold)


def test_more_than_the_limit_asks_for_the_pin_by_itself(phone: Page, world: World) -> None:
    digits = one_code(phone)
    assert aside(lambda: charge(world, digits, 10_000)).code == "acquiring.in_process"
    phone.wait_for_url("**/wallet/asks/*")
    assert own_balance(world) == 1_000_000
    type_pin(phone)
    phone.get_by_role("button", name=re.compile("^Pay ")).click()
    expect(phone.get_by_role("heading", name="Paid")).to_be_visible()
    assert own_balance(world) == 1_000_000 - 79_790
    aside(assert_books_hold)


def test_a_refused_payment_is_said_and_a_fresh_code_is_shown(phone: Page, world: World) -> None:
    aside(lambda: wallet.set_limits(world.traveller.wallet_id, wallet.Limits(no_pin=1, payment=1, day=1)))
    digits = one_code(phone)
    assert aside(lambda: charge(world, digits)).code == wallet.errors.PAYMENT_LIMIT
    expect(phone.get_by_role("alert").filter(has_text="the payment was refused")).to_be_visible()
    assert one_code(phone) != digits
    assert own_balance(world) == 1_000_000


def test_without_a_network_the_code_is_good_and_renews_itself(phone: Page, world: World) -> None:
    phone.evaluate("navigator.serviceWorker.ready.then(() => true)")
    phone.reload()
    one_code(phone)
    phone.context.set_offline(True)
    phone.reload()
    expect(phone.get_by_text("No network.")).to_be_visible()
    first = one_code(phone)
    shot(phone, "wallet-code-offline")
    assert aside(lambda: charge(world, first)).code == "ok"
    assert own_balance(world) == 1_000_000 - 7979
    phone.context.set_offline(False)
    phone.wait_for_url("**/wallet/results/*")
    expect(phone.get_by_role("heading", name="Paid")).to_be_visible()
    aside(assert_books_hold)


def test_without_a_network_no_other_page_is_shown(phone: Page) -> None:
    phone.evaluate("navigator.serviceWorker.ready.then(() => true)")
    phone.reload()
    phone.goto("/wallet/movements")
    phone.context.set_offline(True)
    phone.goto("/wallet/")
    expect(phone.get_by_role("heading", name="No network")).to_be_visible()
    expect(phone.get_by_text("you can spend")).to_have_count(0)
    shot(phone, "wallet-offline")
    phone.get_by_role("link", name="Pay code").click()
    expect(phone.get_by_role("img", name="Bar code for the shop")).to_be_visible()
    kept = phone.evaluate("caches.open('comptoir-wallet').then(c => c.keys()).then(k => k.map(r => r.url))")
    assert sorted(one for one in kept if "/static/" not in one) == [
        phone.url,
        phone.url.replace("/code", "/offline"),
    ]


@pytest.mark.parametrize(
    ("hours", "said"),
    [(25, "Connect to the network once"), (-1, "The clock of this phone was changed")],
)
def test_no_code_is_shown_when_the_clock_cannot_be_trusted(phone: Page, hours: int, said: str) -> None:
    phone.evaluate("navigator.serviceWorker.ready.then(() => true)")
    phone.reload()
    one_code(phone)
    phone.context.set_offline(True)
    phone.clock.install(time=datetime.now(UTC) + timedelta(hours=hours))
    phone.reload()
    expect(phone.get_by_role("alert").filter(has_text=said)).to_be_visible()
    expect(phone.get_by_role("img", name="Bar code for the shop")).to_be_hidden()
    shot(phone, f"wallet-code-clock{hours}")
    assert_accessible(phone)


def test_a_phone_whose_clock_is_wrong_shows_right_codes(browser: Browser, site: str, world: World) -> None:
    page = open_as(browser, site, world.traveller.person, device_scale_factor=2)
    page.clock.install(time=datetime.now(UTC) + timedelta(minutes=7))
    page.goto("/wallet/code/setup")
    type_pin(page)
    page.get_by_role("button", name="Set this phone up").click()
    page.wait_for_url("**/wallet/code")
    code = one_code(page)
    assert aside(lambda: charge(world, code)).code == "ok"
    assert own_balance(world) == 1_000_000 - 7979


def test_a_removed_phone_shows_no_code_that_is_taken(phone: Page, world: World) -> None:
    digits = one_code(phone)
    (own,) = aside(
        lambda: [one for one in wallet.devices_of(world.traveller.wallet_id) if one.name != "phone"]
    )
    aside(lambda: wallet.revoke_device(world.traveller.wallet_id, own.number))
    assert aside(lambda: charge(world, digits)).code == wallet.errors.CODE_INVALID
    expect(phone.get_by_role("link", name="Log in")).to_be_visible()
    assert own_balance(world) == 1_000_000


def log_in_as(phone: Page, site: str, person: PersonView) -> None:
    """A fresh login in the same browser."""
    key = aside(lambda: client_of(person).cookies[settings.SESSION_COOKIE_NAME].value)
    phone.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": site}])


def test_a_fresh_login_goes_on_with_the_phone_and_a_strangers_does_not(
    phone: Page, site: str, world: World
) -> None:
    log_in_as(phone, site, world.other_traveller.person)
    expect(phone.get_by_text("This phone is not set up for your wallet")).to_be_visible()
    expect(phone.get_by_role("img", name="Bar code for the shop")).to_be_hidden()
    shot(phone, "wallet-code-foreign")
    log_in_as(phone, site, world.traveller.person)
    code = one_code(phone)
    assert aside(lambda: charge(world, code)).code == "ok"
    phone.wait_for_url("**/wallet/results/*")


def test_leaving_a_phone_leaves_nothing_on_it(phone: Page, world: World) -> None:
    digits = one_code(phone)
    phone.goto("/wallet/me")
    phone.get_by_role("button", name="Log out and forget this phone").click()
    phone.wait_for_url("**/wallet/login")
    phone.goto("/wallet/code")
    expect(phone.get_by_text("Let this phone show pay codes")).to_be_visible()
    assert aside(lambda: charge(world, digits)).code == wallet.errors.CODE_INVALID
    assert own_balance(world) == 1_000_000


def test_the_seed_is_handed_out_once_and_cannot_be_read_again(phone: Page) -> None:
    told = phone.evaluate(
        """async () => {
            const { device } = await import("/static/wallet/device.js");
            const own = await device();
            const raw = await crypto.subtle.exportKey("raw", own.key).catch((error) => error.name);
            return [own.key.extractable, raw];
        }"""
    )
    assert told == [False, "InvalidAccessError"]


@pytest.mark.parametrize("dark", [False, True])
def test_the_code_fits_the_narrowest_phone_and_large_letters(
    browser: Browser, site: str, world: World, dark: bool
) -> None:
    page = phone_with_code(browser, site, world, size=NARROW, dark=dark)
    assert one_code(page)
    shot(page, f"wallet-code-narrow{'-dark' if dark else ''}")
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert_fits(page)
    assert_accessible(page)
    shot(page, f"wallet-code-200{'-dark' if dark else ''}")


def test_the_phone_makes_the_very_codes_that_the_server_makes(
    browser: Browser, site: str, world: World
) -> None:
    page = open_as(browser, site, None)
    page.goto("/wallet/code")
    seed, number = bytes(range(32)), 10_000_007
    for at in (datetime(2026, 11, 23, 9, 20, tzinfo=UTC), datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC)):
        for form, head in ((Form.SHORT, "28"), (Form.ALIPAY_PLUS, "28668802")):
            for n in (0, 9):
                made = page.evaluate(
                    """async ([seed, number, window, n, head]) => {
                        const { codeOf, keyOf } = await import("/static/wallet/code.js");
                        return codeOf(head, { number, key: await keyOf(new Uint8Array(seed)) }, window, n);
                    }""",
                    [list(seed), number, window_of(at), n, head],
                )
                assert made == build(form, number, seed, at, n)


def setup(world: World, pin: str, **headers: str) -> HttpResponse:
    client = client_of(world.traveller.person)
    return client.post("/wallet/code/setup", {"pin": pin}, headers=headers)  # type: ignore[return-value]


def test_a_wrong_pin_makes_no_device(world: World) -> None:
    before = wallet.devices_of(world.traveller.wallet_id)
    for _ in range(4):
        answer = setup(world, WRONG_PIN, accept="application/json")
        assert answer.status_code == 422
    answer = setup(world, WRONG_PIN)
    assert "Too many wrong PINs" in answer.content.decode()
    assert setup(world, PIN, accept="application/json").status_code == 422
    assert wallet.devices_of(world.traveller.wallet_id) == before


def test_setting_up_again_takes_the_place_of_the_device_before(world: World) -> None:
    client = client_of(world.traveller.person)
    numbers = [
        client.post("/wallet/code/setup", {"pin": PIN}, headers={"accept": "application/json"}).json()[
            "number"
        ]
        for _ in range(2)
    ]
    active = {one.number for one in wallet.devices_of(world.traveller.wallet_id) if one.active}
    assert active == {world.traveller.device, numbers[1]}


def test_a_browser_without_scripts_gets_a_code_from_the_server(
    browser: Browser, site: str, world: World
) -> None:
    page = open_as(browser, site, world.traveller.person, java_script_enabled=False, device_scale_factor=2)
    page.goto("/wallet/code")
    page.get_by_role("link", name="Show a code that needs the network").click()
    page.get_by_label("Your PIN").fill(PIN)
    page.get_by_role("button", name="Set this phone up").click()
    expect(page.get_by_role("img", name="QR code for the shop")).to_be_visible()
    page.wait_for_load_state()
    (digits,) = scanned(page)
    shot(page, "wallet-code-plain")
    assert aside(lambda: charge(world, digits)).code == "ok"
    page.wait_for_url("**/wallet/results/*")
    expect(page.get_by_role("heading", name="Paid")).to_be_visible()
    page.goto("/wallet/code/plain")
    expect(page.get_by_role("img", name="QR code for the shop")).to_be_visible()


def test_news_take_any_instant_and_are_of_this_device(world: World) -> None:
    client = client_of(world.traveller.person)
    assert client.get("/wallet/code/news").json()["device"] is None
    assert set(client_of(None).get("/wallet/code/news").json()) == {"now", "login"}
    number = client.post("/wallet/code/setup", {"pin": PIN}, headers={"accept": "application/json"}).json()[
        "number"
    ]
    for since in ("", "x", "-1", "9" * 30, "0"):
        told = client.get(f"/wallet/code/news?device={number}&since={since}").json()
        assert (told["device"], told["goes"], told["refused"]) == (number, None, False)
    assert abs(told["now"] / 1000 - utc_now().timestamp()) < 60


_DRAWN = """async ([picture, digits]) => {
    const drawing = await import("/static/wallet/drawing.js");
    const made = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const svg = document.getElementById("drawn") ?? made;
    svg.id = "drawn";
    svg.setAttribute("width", "360");
    svg.setAttribute("height", picture === "qrPicture" ? "360" : "120");
    document.body.replaceChildren(svg);
    document.body.style.background = "#fff";
    drawing.draw(svg, drawing[picture](digits));
}"""


def test_what_is_drawn_is_read_whatever_the_digits(browser: Browser, site: str, world: World) -> None:
    """Every pair of digits as bars, and codes of both lengths as QR, by a reader that others wrote."""
    page = open_as(browser, site, None, device_scale_factor=2)
    page.goto("/wallet/offline")
    chance = random.Random(11)
    pairs = ["".join(f"{value:02d}" for value in range(first, first + 10)) for first in range(0, 100, 10)]
    codes = ["".join(chance.choices("0123456789", k=length)) for length in (18, 24) for _ in range(12)]
    for picture, texts in (("barPicture", pairs + codes), ("qrPicture", codes)):
        for digits in texts:
            page.evaluate(_DRAWN, [picture, digits])
            assert scanned(page) == {digits}


@pytest.mark.parametrize(("width", "scale"), [(390, 2), (360, 3), (412, 2.625), (360, 1)])
def test_every_bar_is_a_whole_number_of_equal_modules(
    browser: Browser, site: str, world: World, width: int, scale: float
) -> None:
    """Bars a pixel too wide are misread, also on screens whose pixels do not divide the room there is."""
    size = {"width": width, "height": 740}
    page = phone_with_code(browser, site, world, size=size, device_scale_factor=scale)
    one_code(page)
    picture = Image.open(io.BytesIO(page.get_by_role("img", name="Bar code").screenshot())).convert("L")
    middle = [picture.getpixel((x, picture.height // 2)) for x in range(picture.width)]
    runs = [len(list(run)) for _, run in groupby(middle)][1:-1]
    module = min(runs)
    assert module > 1
    assert [run % module for run in runs] == [0] * len(runs)
    assert len(runs) == 6 * 11 + 7  # of begin, nine pairs and check six each; seven of the end


def test_the_qr_code_is_that_of_the_standard(browser: Browser, site: str, world: World) -> None:
    """Square for square what another maker of codes draws, for one of the eight masks."""
    page = open_as(browser, site, None)
    page.goto("/wallet/offline")
    for digits in ("7", "42", "284715871905013881", "286688024715871905013881", "9" * 27):
        drawn = page.evaluate(
            'async (digits) => (await import("/static/wallet/drawing.js")).qrModules(digits)', digits
        )
        theirs = [
            segno.make(digits, version=1, error="q", boost_error=False, micro=False, mask=mask).matrix
            for mask in range(8)
        ]
        assert drawn in [[[bool(one) for one in row] for row in matrix] for matrix in theirs]
