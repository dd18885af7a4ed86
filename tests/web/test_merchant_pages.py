"""The merchant's desk over Django's test client: every page answers, every act does what it says, once."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from datetime import timedelta
from urllib.parse import unquote, urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import STAFF, PaymentView
from comptoir.db.run import read
from comptoir.flows import api as flows
from comptoir.flows.notifications import log
from comptoir.flows.sandbox import counterpart_id, open_counterpart
from comptoir.identity import api as identity
from comptoir.identity.api import Role
from comptoir.kernel.clock import utc_now
from comptoir.kernel.ids import new_id
from comptoir.kernel.money import Money
from comptoir.web.merchant import payments
from comptoir.web.merchant.exports import harmless
from tests.flows.support import assert_books_hold
from tests.web.desk import Desk, page
from tests.web.pages import client_of
from tests.web.sales import pay

READ = ("merchant-home", "merchant-payments", "merchant-disputes", "merchant-stores", "merchant-notices")
OWN = ("merchant-staff", "merchant-clients", "merchant-record")


@pytest.mark.parametrize("role", [Role.OWNER, Role.MANAGER, Role.ACCOUNTANT])
def test_every_section_opens_for_its_roles(desk: Desk, role: Role) -> None:
    browser = desk.browser(role)
    home = page(browser, "merchant-home")
    for name in READ:
        page(browser, name)
        assert reverse(name) in home
    for name in OWN:
        assert (reverse(name) in home) == (role is Role.OWNER)
        assert browser.get(reverse(name)).status_code == (200 if role is Role.OWNER else 403)


def test_the_overview_says_what_was_sold_and_refused(desk: Desk) -> None:
    home = page(desk.browser(), "merchant-home")
    assert "€82.00" in home  # 10 + 17 + 24 + 31
    assert "4 payments" in home
    assert "1 of 5 scanned" in home
    assert "The code is not valid" in home
    assert "€20.50" in home
    assert home.count('<svg class="chart"') == 2
    old = page(desk.browser(), "merchant-home", **{"from": "2020-01-01", "to": "2020-02-01"})
    assert "Nothing was sold" in old


def test_the_list_is_filtered_searched_and_paged(desk: Desk) -> None:
    browser = desk.browser()
    whole = page(browser, "merchant-payments")
    assert all(one.request_ref in whole for one in desk.paid)
    found = page(browser, "merchant-payments", least="17", most="24,00")
    assert tuple(f">{one}<" in found for one in ("R-1", "R-2", "R-0", "R-3")) == (True, True, False, False)
    assert ">R-3<" in page(browser, "merchant-payments", q="O-3")
    assert ">R-3<" not in page(browser, "merchant-payments", q="O-2")
    assert "refused" in page(browser, "merchant-payments", state="FAIL")
    assert desk.paid[0].id.hex in page(browser, "merchant-payments", q=desk.paid[0].id.hex)
    assert "No payment fits" in page(browser, "merchant-payments", store="one-S2")
    for odd in (
        "after=nonsense",
        "from=x",
        "state=x",
        "least=x",
        "q=%00",
        "product=-",
        "after=2020-01-01_00",
    ):
        assert browser.get(reverse("merchant-payments") + "?" + odd).status_code == 200


def test_amounts_are_typed_in_a_currency_that_is_chosen(desk: Desk) -> None:
    """Of none, two and three decimals; the merchant's own currency unless another is chosen."""
    shop, browser = desk.world.shop, desk.browser()
    acquiring.change_contract(
        shop.merchant_id, settlement_currency="EUR", payment_currencies=["JPY", "EUR", "KWD"]
    )
    assert 'name="currency"' in page(browser, "merchant-payments")
    for number, (minor, currency) in enumerate([(1700, "JPY"), (17, "JPY"), (1700, "KWD"), (17500, "KWD")]):
        one = pay(desk.world, f"{currency}-{minor}", now=desk.now - timedelta(minutes=41 + 2 * number))
        with connection.cursor() as cursor:  # no rate of the day prices them; the list is of what is there
            cursor.execute(
                "UPDATE acquiring_payment SET currency = %s, amount = %s WHERE id = %s",
                [currency, minor, one.id],
            )

    def found(**query: str) -> set[str]:
        shown = page(browser, "merchant-payments", **query)
        answer = browser.get(f"{reverse('merchant-export', args=['payments', 'csv'])}?{urlencode(query)}")
        rows = csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig")))
        refs = {row["request_id"] for row in rows}
        assert refs == set(re.findall(r'class="mono">([^<]+)</a>', shown)), query
        return refs

    everything = found()
    assert {"R-0", "JPY-17", "KWD-1700"} <= everything
    assert found(least="17", most="17") == {"R-1"}
    assert found(currency="JPY") == {"JPY-1700", "JPY-17"}
    assert found(least="17", most="17", currency="JPY") == {"JPY-17"}
    assert found(least="18", currency="JPY") == {"JPY-1700"}
    assert found(most="1,700", currency="KWD") == {"KWD-1700"}
    assert found(least="1.701", currency="KWD") == {"KWD-17500"}
    assert found(currency="USD") == set()
    chosen = page(browser, "merchant-payments", least="17")
    assert re.search(r"<option selected>EUR</option>", chosen)
    assert "<option>KWD</option>" in chosen
    for typed, currency in (
        ("17.5", "JPY"),
        ("1.000", "EUR"),
        ("1.0000", "KWD"),
        ("many", "EUR"),
        ("1e3", "JPY"),
    ):
        wrong = page(browser, "merchant-payments", least=typed, most="", currency=currency)
        assert f"This is no amount in {currency}." in wrong, typed
        assert wrong.count('aria-invalid="true"') == 1
    assert "This is no amount" not in page(browser, "merchant-payments", least="0", currency="KWD")


def test_whose_currency_has_no_decimals_types_none(desk: Desk) -> None:
    shop, browser = desk.world.other_shop, client_of(desk.world.other_shop.owner)
    acquiring.change_contract(shop.merchant_id, settlement_currency="EUR", payment_currencies=["JPY"])
    asked = page(browser, "merchant-payments", least="1000")
    assert 'name="currency"' not in asked
    assert "This is no amount" not in asked
    assert "This is no amount in JPY." in page(browser, "merchant-payments", most="10.50")


def test_a_search_says_how_far_it_has_looked(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page looks through so many payments; the next one goes on below them."""
    browser, older = desk.browser(), re.compile(r'href="[^"]*after=([^"&]+)[^"]*" rel="next"')
    monkeypatch.setattr(payments, "STRETCH", 2)
    first = page(browser, "merchant-payments", q="R-3")
    assert "No payment fits down to" in first
    assert "Looked through down to" in page(browser, "merchant-payments", q="R-0")
    assert "R-3</a>" not in first
    second = page(browser, "merchant-payments", q="R-3", after=unquote(older.findall(first)[0]))
    third = page(browser, "merchant-payments", q="R-3", after=unquote(older.findall(second)[0]))
    assert "R-3</a>" in third
    assert not older.findall(third)
    assert "down to" not in third
    assert "down to" not in page(browser, "merchant-payments")
    monkeypatch.undo()
    assert "No payment fits." in page(browser, "merchant-payments", q="nothing")


def test_one_payment_tells_its_history(desk: Desk) -> None:
    one = desk.paid[1]
    shown = page(desk.browser(), "merchant-payment", one.id.hex)
    for text in ("Asked for", "Paid", "what you are owed", "the customer&#x27;s wallet", "O-1", "€17.00"):
        assert text in shown, text
    assert desk.browser().get(reverse("merchant-payment", args=["nonsense"])).status_code == 404
    assert desk.browser().get(reverse("merchant-payment", args=[new_id().hex])).status_code == 404


def attempt_of(shown: str) -> str:
    return shown.split('name="attempt" value="')[1].split('"')[0]


def refunds(one: PaymentView) -> list[acquiring.RefundView]:
    return acquiring.decode_refunds(read(acquiring.refunds_of_payment(one.merchant_id, one.id)))


@pytest.mark.parametrize("role", [Role.OWNER, Role.MANAGER])
def test_a_refund_is_given_once_however_often_it_is_sent(desk: Desk, role: Role) -> None:
    browser, one = desk.browser(role), desk.paid[0]
    address = reverse("merchant-refund", args=[one.id.hex])
    sent = {
        "amount": "4,00",
        "reason": "damaged",
        "note": "two boxes",
        "attempt": attempt_of(browser.get(address).content.decode()),
    }
    for _ in range(3):
        answer = browser.post(address, sent)
        assert (answer.status_code, answer["Location"]) == (
            303,
            reverse("merchant-payment", args=[one.id.hex]),
        )
    (given,) = refunds(one)
    assert (given.amount, given.client_ref, given.reason) == (Money(400, "EUR"), STAFF, "damaged: two boxes")
    shown = page(browser, "merchant-payment", one.id.hex)
    assert "The goods were damaged: two boxes" in shown
    assert "Partly refunded" in shown
    done = identity.actions(one.merchant_id).entries[0]
    assert (done.action, done.subject_id, done.person_id) == (
        "refund.create",
        one.id.hex,
        desk.world.person(role).id,
    )
    assert_books_hold()


def test_a_refund_that_is_refused_moves_nothing_and_says_why(desk: Desk) -> None:
    browser, one = desk.browser(), desk.paid[0]
    address = reverse("merchant-refund", args=[one.id.hex])
    first = attempt_of(browser.get(address).content.decode())
    sent = {"reason": "other", "note": "", "attempt": first}
    for amount in ("", "abc", "-1", "0", "1.234", "1e3"):
        answer = browser.post(address, sent | {"amount": amount})
        assert answer.status_code == 200
        assert refunds(one) == []
    answer = browser.post(address, sent | {"amount": "10.01"})
    assert "More than is left of the payment" in answer.content.decode()
    assert refunds(one) == [], "a slip of the finger is no refund"
    assert identity.actions(one.merchant_id, subject=("payment", one.id.hex)).entries == ()
    foreign = client_of(desk.world.other_shop.owner, recent=True)
    assert foreign.post(address, sent | {"amount": "1"}).status_code == 404
    assert refunds(one) == []
    corrected = sent | {"amount": "4,00", "attempt": attempt_of(answer.content.decode())}
    for _ in range(2):
        assert browser.post(address, corrected).status_code == 303
    assert [given.amount for given in refunds(one)] == [Money(400, "EUR")]
    # The page that was sent is sent again with something else: what it did is shown, and nothing is done.
    answer = browser.post(address, corrected | {"amount": "5,00"}, follow=True)
    assert answer.redirect_chain == [(reverse("merchant-payment", args=[one.id.hex]), 303)]
    assert "This was sent before, with other contents" in answer.content.decode()
    assert len(refunds(one)) == 1
    assert_books_hold()


def test_the_amount_to_give_back_stands_there_as_the_language_writes_it(desk: Desk) -> None:
    address = reverse("merchant-refund", args=[desk.paid[1].id.hex])
    for language, shown in {"nl": "17,00", "en": "17.00"}.items():
        page = desk.browser().get(address, headers={"accept-language": language})
        assert f'value="{shown}"' in page.content.decode()


def test_whoever_has_not_just_logged_in_is_asked_again(desk: Desk) -> None:
    stale = client_of(desk.world.shop.owner)
    address = reverse("merchant-refund", args=[desk.paid[0].id.hex])
    sent = {"amount": "1", "reason": "other", "attempt": new_id().hex}
    for answer in (stale.get(address), stale.post(address, sent)):
        assert answer["Location"].startswith(reverse("account_reauthenticate"))
    assert refunds(desk.paid[0]) == []


def test_exports_hold_what_the_list_shows_and_no_formula(desk: Desk) -> None:
    danger = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"]
    for number, text in enumerate(danger):
        at = desk.now - timedelta(minutes=50 + number * 2)
        pay(desk.world, f"D-{number}", 100, now=at, details={"orderId": text})
    browser = desk.browser(Role.ACCOUNTANT)
    answer = browser.get(reverse("merchant-export", args=["payments", "csv"]))
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 11
    cells = [cell for row in rows for cell in row.values()]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    by_ref = {row["request_id"]: row for row in rows}
    assert by_ref["D-0"]["order_id"] == "'=1+1"
    assert (by_ref["R-1"]["amount"], by_ref["R-1"]["currency"], by_ref["R-1"]["state"]) == (
        "17.00",
        "EUR",
        "success",
    )
    # What was refused is owed to nobody: a sum of the column is what is owed.
    assert (by_ref["R-1"]["settlement"], by_ref["refused"]["settlement"]) == ("17.00", "")
    only = browser.get(reverse("merchant-export", args=["payments", "csv"]) + "?state=FAIL")
    assert b"".join(only.streaming_content).decode().count("\n") == 2
    book = browser.get(reverse("merchant-export", args=["payments", "xlsx"]))
    archive = zipfile.ZipFile(io.BytesIO(b"".join(book.streaming_content)))
    sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert re.search(r"<v>17(\.0+)?</v>", sheet), "an amount is a number"
    assert "=1+1" in sheet
    assert browser.get(reverse("merchant-export", args=["staff", "csv"])).status_code == 404


def test_refunds_are_exported(desk: Desk) -> None:
    one = desk.paid[0]
    command = flows.Refund(
        merchant_id=one.merchant_id,
        client_ref=STAFF,
        request_ref="x",
        payment_id=one.id,
        amount=Money(250, "EUR"),
        reason="=cmd",
    )
    flows.execute([command], utc_now(), flows.Desk(5))
    answer = desk.browser().get(reverse("merchant-export", args=["refunds", "csv"]))
    (row,) = csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig")))
    assert (row["amount"], row["reason"], row["payment_id"]) == ("2.50", "'=cmd", one.id.hex)


@pytest.mark.parametrize("text", ["=a", "+a", "-a", "@a", "\ta", "\ra", "\na"])
def test_dangerous_texts_are_made_harmless(text: str) -> None:
    assert harmless(text) == "'" + text
    assert harmless("a" + text) == "a" + text


def test_queries_do_not_grow_with_the_list(desk: Desk) -> None:
    browser = desk.browser()

    def asked(name: str, *parts: str) -> int:
        page(browser, name, *parts)
        with CaptureQueriesContext(connection) as queries:
            page(browser, name, *parts)
        return len(queries)

    before = {name: asked(name) for name in (*READ, *OWN)}
    for number in range(12):
        pay(
            desk.world,
            f"M-{number}",
            100,
            now=desk.now - timedelta(minutes=40 + number * 2),
            store_ref="one-S2",
        )
        identity.register_client(f"5Y-more-{number}", desk.world.shop.merchant_id, None, now=desk.now)
        log.send_test(desk.world.shop.merchant_id, new_id(), "5Y-one", "http://127.0.0.1:9/", desk.now)
    assert {name: asked(name) for name in (*READ, *OWN)} == before
    assert max(before.values()) <= 14, before


def test_a_notification_is_sent_again_by_who_acts(desk: Desk) -> None:
    shop = desk.world.shop
    test_id = new_id()
    log.send_test(shop.merchant_id, test_id, shop.client_ref, "http://127.0.0.1:9/", desk.now)
    address = reverse("merchant-resend", args=[test_id.hex])
    assert desk.browser(Role.ACCOUNTANT).post(address).status_code == 403
    manager = desk.browser(Role.MANAGER)
    assert "sent again now" in manager.post(address, follow=True).content.decode()
    assert (
        "on its way already"
        in manager.post(address, {"back": "//evil.example"}, follow=True).content.decode()
    )
    done = [one.action for one in identity.actions(shop.merchant_id).entries]
    assert done.count("notification.resend") == 1


def claim(desk: Desk, one: PaymentView, kind: acquiring.DisputeKind) -> flows.OpenDispute:
    return flows.OpenDispute(
        merchant_id=one.merchant_id,
        payment_id=one.id,
        dispute_id=new_id(),
        kind=kind,
        amount=one.amount,
        reason_code="NOT_RECEIVED",
        reason="never came",
        due_at=desk.now + timedelta(days=7),
    )


def test_a_dispute_is_defended_or_accepted_once(desk: Desk) -> None:
    manager = desk.browser(Role.MANAGER)
    ids = []
    for one in desk.paid[:2]:
        command = claim(desk, one, acquiring.DisputeKind.CHARGEBACK)
        flows.execute([command], utc_now(), flows.Desk(5))
        ids.append(command.dispute_id)
    assert "waits for your answer" in page(manager, "merchant-home")
    paper = io.BytesIO(b"%PDF-1.7 receipt")
    paper.name = "receipt.pdf"
    empty = manager.post(reverse("merchant-defend", args=[ids[0].hex]), follow=True).content.decode()
    assert "Send one PDF" in empty
    told = manager.post(reverse("merchant-defend", args=[ids[0].hex]), {"document": paper}, follow=True)
    assert "Is being judged" in told.content.decode()
    got = manager.get(reverse("merchant-paper", args=[ids[0].hex, "defense"]))
    assert got.content == b"%PDF-1.7 receipt"
    assert "attachment" in got["Content-Disposition"]
    for _ in range(2):
        done = manager.post(reverse("merchant-accept", args=[ids[1].hex]), follow=True).content.decode()
        assert "Accepted" in done
    assert page(manager, "merchant-payment", desk.paid[1].id.hex).count("Dispute accepted") == 1
    assert_books_hold()


def test_disputes_are_paged(desk: Desk) -> None:
    """Three pages, of which the first two end amid disputes of one instant."""
    browser = desk.browser(Role.ACCOUNTANT)
    wanted = [
        claim(desk, desk.paid[number % 2], acquiring.DisputeKind.RETRIEVAL_REQUEST) for number in range(123)
    ]
    flows.execute(wanted[:3], utc_now(), flows.Desk(5))

    def asked(**query: str) -> tuple[str, int]:
        with CaptureQueriesContext(connection) as queries:
            shown = page(browser, "merchant-disputes", **query)
        return shown, len(queries)

    asked()  # what is kept from then on
    short, few = asked()
    assert "Older" not in short
    flows.execute(wanted[3:], utc_now(), flows.Desk(5))
    found: list[str] = []
    after: dict[str, str] = {}
    for number in range(3):
        shown, count = asked(**after)
        assert count == few
        assert ("Newer" in shown) == (number > 0)
        found += re.findall(rf'{reverse("merchant-disputes")}/([0-9a-f]{{32}})"', shown)
        older = re.search(r'after=([^"&]+)" rel="next"', shown)
        assert (older is None) == (number == 2)
        after = {"after": unquote(older[1])} if older else {}
    assert sorted(found) == sorted(one.dispute_id.hex for one in wanted)
    assert browser.get(reverse("merchant-disputes") + "?after=nonsense").status_code == 200
    theirs = client_of(desk.world.other_shop.owner).get(reverse("merchant-disputes"))
    assert "There are no disputes." in theirs.content.decode()


def test_the_sandbox_shows_the_counterpart_and_nothing_of_the_shop(desk: Desk) -> None:
    shop, manager, owner = desk.world.shop, desk.browser(Role.MANAGER), desk.browser()
    switch = reverse("merchant-sandbox")
    assert "An owner has to set up" in manager.post(switch, {"on": "1"}, follow=True).content.decode()
    for _ in range(2):
        shown = owner.post(switch, {"on": "1"}, follow=True).content.decode()
        assert "This is your sandbox" in shown
    assert "Nothing was sold" in shown
    assert ">R-1<" not in page(owner, "merchant-payments")
    assert owner.get(reverse("merchant-payment", args=[desk.paid[0].id.hex])).status_code == 404
    assert owner.get(reverse("merchant-client", args=[shop.client_ref])).status_code == 404
    assert "SANDBOX_5Y" in page(owner, "merchant-clients")
    test = acquiring.merchant_summary(f"T{counterpart_id(shop.merchant_id).hex[:19]}")
    assert test.sandbox
    assert [one.ref for one in test.stores] == ["one-S1", "one-S2"]
    assert "This is your sandbox" in manager.post(switch, {"on": "1"}, follow=True).content.decode()
    assert "R-1" in page(desk.browser(), "merchant-payments")
    owner.post(switch, {"on": "0"})
    assert "R-1" in page(owner, "merchant-payments")
    assert [one.action for one in identity.actions(shop.merchant_id).entries].count("sandbox.create") == 1
    with pytest.raises(acquiring.MerchantInvalid):
        open_counterpart(test.id, desk.now)
    assert_books_hold()


def test_the_switch_brings_what_is_new_in_the_shop(desk: Desk) -> None:
    """Stores and tills made since, once; what was made in the sandbox itself stays."""
    shop, owner, switch = desk.world.shop, desk.browser(), reverse("merchant-sandbox")
    new_store, new_till = (
        {"what": "store", "store-ref": "S9", "store-name": "Gent", "store-city": "Gent"},
        {"what": "till", "till-store": shop.stores[0].hex, "till-ref": "T9"},
    )
    owner.post(switch, {"on": "1"})
    own = {"what": "store", "store-ref": "S8", "store-name": "Only here", "store-city": "Gent"}
    assert owner.post(reverse("merchant-stores"), own).status_code == 303
    owner.post(switch, {"on": "0"})
    later = own | {"store-name": "Also in the shop"}
    for sent in (new_store, new_till, later):
        assert owner.post(reverse("merchant-stores"), sent).status_code == 303
    made = next(one for one in acquiring.merchant_summary(shop.ref).stores if one.ref == "S8")
    acquiring.add_terminal(shop.merchant_id, new_id(), made.id, ref="T8", now=desk.now)
    acquiring.open_contract(
        shop.merchant_id, settlement_currency="USD", payment_currencies=["USD"], margin_bps=50, now=desk.now
    )
    acquiring.add_store(
        shop.merchant_id,
        new_id(),
        ref="S7",
        name="Las Palmas",
        mcc="5441",
        city="Las Palmas",
        country="ES",
        time_zone="Atlantic/Canary",
        now=desk.now,
    )

    def test_merchant() -> acquiring.MerchantSummary:
        return acquiring.merchant_summary_by_id(counterpart_id(shop.merchant_id))

    assert "S9" not in str(test_merchant().stores)
    accountant = desk.browser(Role.ACCOUNTANT)
    told = accountant.post(switch, {"on": "1"}, follow=True).content.decode()
    assert "in the sandbox now as well" in told
    found = test_merchant()
    assert {one.ref: one.terminals for one in found.stores} == {
        "one-S1": ("T1", "T9"),
        "one-S2": ("T2",),
        "S7": (),
        "S8": ("T8",),
        "S9": (),
    }
    assert {one.ref: one.name for one in found.stores}["S8"] == "Only here"
    assert {one.ref: one.time_zone for one in found.stores}["S7"] == "Atlantic/Canary"
    assert [one.settlement_currency for one in found.contracts] == ["EUR", "USD"]
    again = accountant.post(switch, {"on": "1"}, follow=True).content.decode()
    assert "in the sandbox now as well" not in again
    assert test_merchant() == found
    done = [one.action for one in identity.actions(shop.merchant_id).entries]
    assert (done.count("sandbox.create"), done.count("sandbox.update")) == (1, 1)
    assert_books_hold()
