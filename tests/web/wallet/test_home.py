"""Home, movements, receipts: what is shown, found, shared; with how few questions; and to nobody else."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from playwright.sync_api import Browser, expect

from comptoir.flows import api as flows
from comptoir.kernel.clock import utc_now
from comptoir.kernel.ids import new_id
from comptoir.kernel.money import Money
from comptoir.wallet import api as wallet
from comptoir.wallet.api import MovementCursor, MovementKind
from comptoir.web.wallet import cursors
from tests.web.pages import DESK, aside, assert_accessible, assert_fits, client_of, complaints, open_as, shot
from tests.web.wallet.support import NARROW, asked, paid, refund
from tests.web.world import World


def text_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


@pytest.fixture
def busy(world: World) -> wallet.AuthorizationView:
    """A payment of which a fifth came back, one that waits, one that is held, and a top-up. The first."""
    first = paid(world, 4250)
    refund(world, first.payment_id, 850)
    asked(world, 1999)
    paid(world, 3000, hold=True)
    wallet.top_up(new_id(), world.traveller.wallet_id, Money(50_000, "CNY"), utc_now(), "Bank of China")
    return first


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("dark", [False, True])
def test_home_and_movements_on_a_phone(
    browser: Browser, site: str, world: World, language: str, dark: bool
) -> None:
    one = aside(lambda: paid(world, 4250))
    aside(lambda: refund(world, one.payment_id, 850))
    aside(lambda: asked(world, 1999))
    name = f"{language}{'-dark' if dark else ''}"
    page = open_as(browser, site, world.traveller.person, size=NARROW, dark=dark, language=language)
    for place, address in (
        ("home", "/wallet/"),
        ("movements", "/wallet/movements?q=Sablon"),
        ("payment", f"/wallet/payments/{one.id}"),
        ("me", "/wallet/me"),
    ):
        page.goto(address)
        shot(page, f"wallet-{place}-{name}")
        assert_accessible(page)
        assert_fits(page)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert_fits(page)
    assert complaints(page) == []


def test_home_on_a_desk(browser: Browser, site: str, world: World) -> None:
    aside(lambda: paid(world, 4250))
    page = open_as(browser, site, world.traveller.person, size=DESK)
    page.goto("/wallet/")
    shot(page, "wallet-home-desk")
    assert_accessible(page)
    assert_fits(page)


def test_home_says_what_is_there_what_waits_and_what_is_held(
    world: World, busy: wallet.AuthorizationView
) -> None:
    page = text_of(client_of(world.traveller.person), "/wallet/")
    summary = wallet.wallet_summary(world.traveller.wallet_id, utc_now())
    assert f"CN¥{summary.available.decimal():,}" in page
    assert "CN¥239.37 more are held for shops." in page
    for text in ("Waiting for you", "€19.99", "Refund from Chocolaterie Sablon", "Top-up", "Bank of China"):
        assert text in page


def test_what_came_back_is_shown_in_both_currencies(world: World, busy: wallet.AuthorizationView) -> None:
    client = client_of(world.traveller.person)
    for address in ("/wallet/", "/wallet/movements", f"/wallet/payments/{busy.id}"):
        assert re.search(r"\+CN¥67\.82 €8\.50 ", text_of(client, address)), address
    assert "Refund from" in text_of(client, "/wallet/movements?amount=8.50")


def test_a_time_of_china_is_called_one_and_a_deadline_counts_down(
    world: World, busy: wallet.AuthorizationView
) -> None:
    client = client_of(world.traveller.person)
    home = client.get("/wallet/").content.decode()
    assert "All times are those of China." in home
    assert re.search(r'Good for <span data-countdown="[^"]+">\d+:\d+, China time<', home)
    assert "All times are those of China." in text_of(client, "/wallet/movements")
    assert re.search(r"\d:\d\d, China time", text_of(client, f"/wallet/results/{busy.id}"))
    assert len(re.findall(r"\d:\d\d, China time", text_of(client, f"/wallet/payments/{busy.id}"))) == 1


def test_movements_are_grouped_by_day_in_china(world: World) -> None:
    midnight = utc_now().replace(hour=16, minute=0, second=0, microsecond=0) - timedelta(days=2)
    own = world.traveller.wallet_id
    for at in (midnight - timedelta(seconds=1), midnight):
        wallet.top_up(new_id(), own, Money(100, "CNY"), at, "at midnight")
    page = client_of(world.traveller.person).get("/wallet/movements?q=midnight").content.decode()
    assert page.count('class="group-title"') == 2


def test_a_search_finds_by_shop_amount_and_day(world: World, busy: wallet.AuthorizationView) -> None:
    client, today = client_of(world.traveller.person), (utc_now() + timedelta(hours=8)).date()

    def lines(query: str) -> int:
        return client.get(f"/wallet/movements?{query}").content.decode().count("row-end")

    assert lines("q=sablon") == 2
    assert lines("q=bank") == 1
    assert lines("amount=42.50") == 1
    assert lines("amount=42,5&q=sablon") == 1
    assert lines(f"first={today}&amount=500") == 1
    assert lines("last=2020-01-01") == 0
    for nonsense in ("amount=x", "first=yesterday", "amount=NaN", "amount=1e999999999"):
        assert "Type an amount such as 12.50" in text_of(client, f"/wallet/movements?{nonsense}")
    assert "Nothing was found." in text_of(client, "/wallet/movements?q=nowhere")
    assert lines("q=%00") >= 0


def test_pages_of_movements_go_on_until_the_end(world: World) -> None:
    client, own, now = client_of(world.traveller.person), world.traveller.wallet_id, utc_now()
    for number in range(65):
        wallet.top_up(new_id(), own, Money(100 + number, "CNY"), now, f"number {number}")
    seen: list[str] = []
    address: str | None = "/wallet/movements"
    while address:
        page = client.get(address).content.decode()
        seen += re.findall(r"number \d+", page)
        found = re.search(r'href="([^"]+)" rel="next"', page)
        address = found[1].replace("&amp;", "&") if found else None
    assert seen == [f"number {number}" for number in reversed(range(65))]
    assert client.get("/wallet/movements?older=nonsense").status_code == 200


@pytest.mark.parametrize("kind", list(MovementKind))
def test_a_place_in_a_statement_survives_the_address(kind: MovementKind) -> None:
    cursor = MovementCursor(utc_now(), UUID(int=7), kind)
    assert cursors.parse(cursors.build(cursor)) == cursor


def questions(client: Client, address: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as asked_of_the_database:
        assert client.get(address).status_code == 200
    return len(asked_of_the_database)


@pytest.mark.parametrize(
    "address", ["/wallet/", "/wallet/movements", "/wallet/movements?q=a", "/wallet/agreements"]
)
def test_a_list_asks_the_same_few_questions_however_long_it_is(world: World, address: str) -> None:
    client = client_of(world.traveller.person)
    client.get(address)
    few = questions(client, address)
    for _ in range(3):
        paid(world)
        asked(world)
    assert questions(client, address) == few <= 12


def test_a_receipt_has_both_amounts_the_rate_and_what_came_back(
    world: World, busy: wallet.AuthorizationView
) -> None:
    page = text_of(client_of(world.traveller.person), f"/wallet/payments/{busy.id}")
    for text in (
        "Chocolaterie Sablon",
        "CN¥339.11",
        "€42.50",
        "1 EUR = 7.979 CNY",
        "Margin, included CN¥3.36",
        "Partly refunded",
        "Came back CN¥67.82",
        busy.payment_id.hex,
    ):
        assert text in page, text


def test_a_capture_is_on_the_receipt(world: World) -> None:
    one = paid(world, 3000, hold=True)
    command = flows.Capture(
        merchant_id=one.merchant_id,
        client_ref=world.shop.client_ref,
        request_ref=new_id().hex,
        payment_id=one.payment_id,
        amount=Money(1000, "EUR"),
    )
    flows.execute([command], utc_now(), flows.Desk(5))
    page = text_of(client_of(world.traveller.person), f"/wallet/payments/{one.id}")
    assert "Taken by the shop CN¥79.79" in page


def test_a_receipt_is_shared_in_words(browser: Browser, site: str, world: World) -> None:
    one = aside(lambda: paid(world, 4250))
    page = open_as(browser, site, world.traveller.person)
    page.add_init_script("navigator.share = (told) => { window.told = told; return Promise.resolve(); }")
    page.goto(f"/wallet/payments/{one.id}")
    page.get_by_role("button", name="Share").click()
    told = page.evaluate("window.told")
    assert told["title"] == "Chocolaterie Sablon"
    assert "CN¥339.11 (€42.50)" in told["text"]
    page.emulate_media(media="print")
    expect(page.get_by_role("button", name="Share")).to_be_hidden()
    expect(page.get_by_text(one.payment_id.hex)).to_be_visible()
    shot(page, "wallet-payment-print")


@pytest.fixture
def stranger(world: World) -> Client:
    return client_of(world.other_traveller.person)


def test_a_stranger_sees_only_an_empty_wallet(
    world: World, busy: wallet.AuthorizationView, stranger: Client
) -> None:
    for address in ("/wallet/", "/wallet/movements", "/wallet/movements?q=Sablon"):
        assert "Chocolaterie" not in text_of(stranger, address)
    assert stranger.get(f"/wallet/payments/{busy.id}").status_code == 404


def test_a_traveller_without_a_wallet_is_told(world: World) -> None:
    from comptoir.identity import api as identity
    from comptoir.identity.api import Role
    from tests.web.world import PASSWORD

    person = identity.create_person("+8613900000009", "无", Role.TRAVELLER, PASSWORD, now=utc_now())
    answer = client_of(person).get("/wallet/")
    assert (answer.status_code, "There is no wallet" in answer.content.decode()) == (404, True)


def test_a_hundred_fen_is_shown_in_the_language_of_the_page(world: World) -> None:
    shown: Callable[[str], str] = lambda language: (  # noqa: E731
        client_of(world.traveller.person)
        .get("/wallet/", headers={"accept-language": language})
        .content.decode()
    )
    assert "¥10,000.00" in shown("zh-hans")
    assert "CN¥10,000.00" in shown("en")
