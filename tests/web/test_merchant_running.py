"""Who runs the shop at the desk: stores and tills, staff, and the clients that its machines speak through."""

from __future__ import annotations

import csv
import io
from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.urls import reverse

from comptoir.acquiring import api as acquiring
from comptoir.flows import api as flows
from comptoir.flows.notifications import log
from comptoir.identity import api as identity
from comptoir.identity.api import Role
from comptoir.kernel.ids import OPERATOR, new_id
from comptoir.standards.antom import signing
from tests.web.counter.till import client_at_till, code_of
from tests.web.desk import Desk, page
from tests.web.pages import client_of
from tests.web.sales import pay
from tests.web.world import PIN


def test_stores_and_tills_are_added_by_who_acts(desk: Desk) -> None:
    address = reverse("merchant-stores")
    sent = {"what": "store", "store-ref": "S9", "store-name": "Gent", "store-city": "Gent"}
    desk.browser(Role.ACCOUNTANT).post(address, sent)
    assert "Gent" not in page(desk.browser(), "merchant-stores")
    manager = desk.browser(Role.MANAGER)
    assert manager.post(address, sent).status_code == 303
    assert "This reference is taken." in manager.post(address, sent).content.decode()
    merchant = acquiring.merchant_summary(desk.world.shop.ref)
    made = next(one for one in merchant.stores if one.ref == "S9")
    till = {"what": "till", "till-store": made.id.hex, "till-ref": "T7"}
    assert manager.post(address, till).status_code == 303
    assert "T7" in page(manager, "merchant-stores")
    foreign = {"what": "till", "till-store": desk.world.other_shop.stores[0].hex, "till-ref": "T8"}
    assert manager.post(address, foreign).status_code == 200
    for ref in (desk.world.shop.ref, desk.world.other_shop.ref):
        assert "T8" not in str(acquiring.merchant_summary(ref).stores)


def test_an_owner_runs_the_staff(desk: Desk) -> None:
    owner, shop = desk.browser(), desk.world.shop
    made = owner.post(
        reverse("merchant-staff"),
        {"display_name": "Lotte", "login": "lotte@one.example", "role": "manager"},
    ).content.decode()
    lotte = identity.person("lotte@one.example")
    assert lotte is not None
    assert lotte.must_change_password
    assert "shown once" in made

    def change(person: Any, **given: str) -> str:
        address = reverse("merchant-person-change", args=[person.id.hex])
        return owner.post(address, given, follow=True).content.decode()

    assert "Changed." in change(lotte, what="approve", pin="204681")
    assert identity.has_pin(lotte.id)
    assert "neither one repeated" in change(lotte, what="approve", pin="111111")
    change(lotte, what="role", role="accountant")
    assert identity.person_by_id(lotte.id).role is Role.ACCOUNTANT
    assert (
        owner.post(
            reverse("merchant-person-change", args=[lotte.id.hex]), {"what": "approve", "pin": "204681"}
        ).status_code
        == 404
    )
    assert "A new password" in change(lotte, what="reset")
    change(lotte, what="out")
    assert not identity.person_by_id(lotte.id).active
    assert "Nobody changes this of themselves" in change(shop.owner, what="role", role="cashier")
    assert identity.person_by_id(shop.owner.id).role is Role.OWNER
    told = page(owner, "merchant-record")
    for said in (
        "Brought in a member of staff",
        "Set a PIN for approvals",
        "Changed somebody&#x27;s role",
        "Set a new password for somebody",
        "Shut somebody out",
    ):
        assert said in told
    assert "staff." not in told
    assert "Person Lotte" in told
    assert "Role: Accountant" in told
    assert "204681" not in told


def factors_of(person: Any) -> int:
    return Authenticator.objects.filter(user_id=person.id).count()


def test_an_owner_removes_a_colleagues_lost_second_factor(desk: Desk) -> None:
    owner, shop = desk.browser(), desk.world.shop
    manager, at_work = shop.manager, client_of(shop.manager)
    for kind in Authenticator.Type:
        Authenticator.objects.create(user_id=manager.id, type=kind, data={})
    address = reverse("merchant-person", args=[manager.id.hex])
    assert "Remove the second factor" in owner.get(address).content.decode()
    assert at_work.get("/merchant/").status_code == 200
    sent = owner.post(reverse("merchant-person-change", args=[manager.id.hex]), {"what": "factor"})
    assert sent.status_code == 303
    assert factors_of(manager) == 0
    assert at_work.get("/merchant/")["Location"].startswith("/login")
    shown = owner.get(address).content.decode()
    assert "No second factor" in shown
    assert "Remove the second factor" not in shown
    (done, *_) = identity.actions(shop.merchant_id, subject=("person", manager.id.hex)).entries
    assert (done.action, done.person_id) == ("staff.second_factor", shop.owner.id)


def test_what_the_operator_did_to_somebody_is_in_the_record(desk: Desk) -> None:
    identity.record_for_operator(desk.world.shop.manager, "staff.second_factor", now=desk.now)
    told = page(desk.browser(), "merchant-record")
    assert "The operator" in told
    assert OPERATOR.hex not in told


def test_nobody_else_removes_a_second_factor(desk: Desk) -> None:
    """Another merchant's owner, the same merchant's manager, and an owner of their own."""
    world = desk.world
    manager, at_work = world.shop.manager, client_of(world.shop.manager)
    for person in (manager, world.shop.owner):
        Authenticator.objects.create(user_id=person.id, type=Authenticator.Type.TOTP, data={})
    change = reverse("merchant-person-change", args=[manager.id.hex])
    stranger = client_of(world.other_shop.owner, recent=True)
    assert stranger.post(change, {"what": "factor"}).status_code == 404
    assert desk.browser(Role.MANAGER).post(change, {"what": "factor"}).status_code == 403
    own = reverse("merchant-person-change", args=[world.shop.owner.id.hex])
    told = desk.browser().post(own, {"what": "factor"}, follow=True).content.decode()
    assert "Nobody changes this of themselves" in told
    assert [factors_of(one) for one in (manager, world.shop.owner)] == [1, 1]
    assert at_work.get("/merchant/").status_code == 200
    for shop in (world.shop, world.other_shop):
        done = [one.action for one in identity.actions(shop.merchant_id).entries]
        assert "staff.second_factor" not in done


def test_an_owner_runs_the_clients(desk: Desk) -> None:
    owner, shop = desk.browser(), desk.world.shop
    key, other = signing.generate_key(), signing.generate_key()
    shown = page(owner, "merchant-clients")
    ref = shown.split('name="client" value="')[1].split('"')[0]
    sent = {"client": ref, "public_key": signing.export_public_key(key.public_key()), "notify_url": ""}
    wrong = owner.post(reverse("merchant-clients"), sent | {"public_key": signing.export_private_key(key)})
    assert "This is a private key" in wrong.content.decode()
    assert signing.export_private_key(key)[:40] not in wrong.content.decode()
    assert signing.export_private_key(key) not in str(identity.actions(shop.merchant_id))
    for _ in range(2):
        assert owner.post(reverse("merchant-clients"), sent)["Location"] == reverse(
            "merchant-client", args=[ref]
        )
    assert [one.client_ref for one in identity.clients(shop.merchant_id)].count(ref) == 1
    address = reverse("merchant-client-change", args=[ref])

    def change(**given: str) -> str:
        return owner.post(address, given, follow=True).content.decode()

    change(what="add_key", public_key=signing.export_public_key(other.public_key()))
    both = page(owner, "merchant-client", ref)
    for one in (key, other):
        assert signing.fingerprint(signing.public_der(one.public_key())) in both
        assert f'data-copy="{signing.export_public_key(one.public_key())}"' in both
    assert signing.fingerprint(identity.platform_key().public_key) in both
    change(what="revoke_key", which="1")
    assert [one.version for one in identity.client(ref).keys] == [2]
    attempt = new_id().hex
    made = owner.post(
        address, {"what": "add_api_key", "attempt": attempt, "only": ["payments/pay"]}
    ).content.decode()
    secret = made.split('<code class="secret">')[1].split("<")[0]
    assert secret.startswith("irak_PROD_")
    again = owner.post(address, {"what": "add_api_key", "attempt": attempt}, follow=True).content.decode()
    assert "shown once" in again
    (api_key,) = identity.api_keys(ref)
    assert api_key.operations == ("payments/pay",)
    change(what="revoke_api_key", which=api_key.id.hex)
    assert identity.api_keys(ref)[0].revoked_at is not None
    assert "https://" in change(what="address", notify_url="ftp://x")
    change(what="address", notify_url="https://shop.example/n")
    assert identity.client(ref).notify_url == "https://shop.example/n"
    change(what="suspend", surely=ref)
    assert identity.client(ref).status is identity.ClientStatus.SUSPENDED


def test_what_stops_a_client_takes_its_id_typed(desk: Desk) -> None:
    owner, shop, key = desk.browser(), desk.world.shop, signing.generate_key()
    ref = shop.client_ref
    identity.add_key(ref, signing.export_public_key(key.public_key()), now=desk.now)
    address = reverse("merchant-client-change", args=[ref])
    for given in ({"what": "revoke_key", "which": "1"}, {"what": "suspend"}):
        for typed in ({}, {"surely": ""}, {"surely": "5Y-two"}):
            told = owner.post(address, given | typed, follow=True).content.decode()
            assert "Nothing was changed" in told
    stands = identity.client(ref)
    assert stands is not None
    assert (len(stands.keys), stands.status) == (1, identity.ClientStatus.ACTIVE)
    done = {one.action for one in identity.actions(shop.merchant_id).entries}
    assert not done & {"client.revoke_key", "client.suspend"}
    owner.post(address, {"what": "revoke_key", "which": "1", "surely": ref})
    stands = identity.client(ref)
    assert stands is not None
    assert stands.keys == ()


def test_a_notification_is_found_by_its_payment(desk: Desk) -> None:
    world, browser = desk.world, desk.browser()
    told = [
        pay(world, f"N-{n}", 1000, now=desk.now, n=n, notify_url="https://shop.example/n") for n in (4, 5)
    ]
    back = {
        "amount": "1.00",
        "reason": "damaged",
        "note": "",
        "attempt": new_id().hex,
    }
    browser.post(reverse("merchant-refund", args=[told[0].id.hex]), back)
    whole = page(browser, "merchant-notices")
    for one in told:
        assert reverse("merchant-payment", args=[one.id.hex]) in whole
    # A payment and its refund are told; the other payment is not among them.
    for number in (told[0].id.hex, str(told[0].id), "N-4"):
        found = page(browser, "merchant-notices", q=number)
        assert found.count(reverse("merchant-payment", args=[told[0].id.hex])) == 2
        assert told[1].id.hex not in found
    assert "No notification fits" in page(browser, "merchant-notices", q="N-4", client="another")
    assert "No notification fits" in page(browser, "merchant-notices", q="N-")
    assert "No notification fits" in page(browser, "merchant-notices", q="\0")
    # Another shop's payment has no notifications here.
    other = client_of(world.other_shop.owner, recent=True)
    assert "No notification fits" in page(other, "merchant-notices", q=told[0].id.hex)


def exported(desk: Desk, what: str) -> list[dict[str, str]]:
    """The lines of an export."""
    answer = desk.browser().get(reverse("merchant-export", args=[what, "csv"]))
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(text)))


def test_whoever_stands_at_the_till_is_named_with_what_they_took(desk: Desk) -> None:
    shop, sale = desk.world.shop, new_id()
    anna = client_at_till(shop.cashier, shop)
    address = reverse("counter-sale", args=[sale])
    scanned = {"amount": "1.00", "currency": "EUR", "code": code_of(desk.world.traveller, 9)}
    assert anna.post(address, scanned).status_code == 303
    taken = flows.payment_of_sale(shop.merchant_id, sale)
    assert taken is not None
    assert taken.state is acquiring.PaymentState.SUCCESS
    # The same sale sent once more by a colleague, who has logged in at the till meanwhile, stays Anna's.
    bert = client_at_till(shop.manager, shop)
    assert bert.post(address, scanned).status_code == 303
    history = page(desk.browser(), "merchant-payment", taken.id.hex)
    assert history.count(f"{shop.cashier.display_name}, at the counter") == 2
    assert f"{shop.manager.display_name}, at the counter" not in history
    lines = {row["payment_id"]: row for row in exported(desk, "payments")}
    line = lines[taken.id.hex]
    assert (line["client_id"], line["person"]) == ("staff", shop.cashier.display_name)
    assert lines[desk.paid[0].id.hex]["person"] == ""
    shown = reverse("counter-payment", args=[taken.id])
    assert f"<dt>Taken by</dt><dd>{shop.cashier.display_name}</dd>" in bert.get(shown).content.decode()
    receipt = reverse("counter-receipt", args=[taken.id])
    assert shop.cashier.display_name not in bert.get(receipt).content.decode()


def test_the_history_and_the_export_name_who_gave_back_and_who_approved(desk: Desk) -> None:
    shop, one = desk.world.shop, desk.paid[0]
    identity.set_pin(shop.manager.id, PIN)
    at_counter = {"amount": "1.00", "manager": shop.manager.id.hex, "pin": PIN, "attempt": new_id().hex}
    address = reverse("counter-refund", args=[one.id])
    assert client_at_till(shop.cashier, shop).post(address, at_counter).status_code == 303
    at_desk = {"amount": "2.00", "reason": "damaged", "note": "", "attempt": new_id().hex}
    desk.browser(Role.MANAGER).post(reverse("merchant-refund", args=[one.id.hex]), at_desk)
    history = page(desk.browser(), "merchant-payment", one.id.hex)
    approved = f"{shop.cashier.display_name}, approved by {shop.manager.display_name}"
    assert history.count(approved) == 1
    assert history.count(shop.manager.display_name) == 2
    assert "by hand" not in history
    rows = exported(desk, "refunds")
    told = {(row["amount"], row["client_id"], row["person"], row["approved_by"]) for row in rows}
    assert told == {
        ("1.00", "staff", shop.cashier.display_name, shop.manager.display_name),
        ("2.00", "staff", shop.manager.display_name, ""),
    }
    # The record of another shop names nobody here.
    assert identity.actions_about(desk.world.other_shop.merchant_id, "payment", [one.id.hex]) == []
    record = page(desk.browser(), "merchant-record")
    assert "Amount: €2.00" in record
    assert f"Approved by: {shop.manager.display_name}" in record


def test_numbers_are_those_of_the_language(desk: Desk) -> None:
    browser = desk.browser()
    browser.cookies[settings.LANGUAGE_COOKIE_NAME] = "fr"
    home = page(browser, "merchant-home").replace("\u202f", "\u00a0")
    assert "20\u00a0%" in home
    assert "moins de 10\u00a0€" in home
    assert "10\u00a0€ – 25\u00a0€" in home


def test_nobody_revokes_anothers_api_key(desk: Desk) -> None:
    other = desk.world.other_shop
    identity.create_api_key(other.client_ref, None, now=desk.now)
    (theirs,) = identity.api_keys(other.client_ref)
    address = reverse("merchant-client-change", args=[desk.world.shop.client_ref])
    answer = desk.browser().post(address, {"what": "revoke_api_key", "which": theirs.id.hex})
    assert answer.status_code == 404
    assert identity.api_keys(other.client_ref)[0].revoked_at is None


def test_the_self_test_says_what_is_wrong(desk: Desk) -> None:
    owner, shop = desk.browser(), desk.world.shop
    key = signing.generate_key()
    identity.add_key(shop.client_ref, signing.export_public_key(key.public_key()), now=desk.now)
    address = reverse("merchant-check", args=[shop.client_ref])
    path, body = "/ams/api/v1/payments/inquiryPayment", '{"paymentRequestId":"R-1"}'
    time = desk.now.isoformat(timespec="seconds")

    def head(signer: Any) -> str:
        content = signing.content_to_sign(path, shop.client_ref, time, body.encode())
        header = signing.format_header(1, signing.sign(signer, content))
        return f"POST {path}\r\nclient-id: {shop.client_ref}\r\nRequest-Time: {time}\r\nSignature: {header}"

    good = owner.post(address, {"what": "request", "head": head(key), "body": body}).content.decode()
    assert "made with the private half of key 1" in good
    assert "alert-bad" not in good
    bad = owner.post(address, {"what": "request", "head": head(signing.generate_key()), "body": "{"})
    assert "fits none of your registered keys" in bad.content.decode()
    assert "In the body:" in bad.content.decode()
    text = "comptoir:5Y-one:abc"
    fits = owner.post(address, {"what": "text", "text": text, "signature": signing.sign(key, text.encode())})
    assert "private half of key 1" in fits.content.decode()
    odd = owner.post(address, {"what": "text", "text": text, "signature": "nonsense"})
    assert "fits none of this client" in odd.content.decode()
    attempt = new_id().hex
    for _ in range(2):
        owner.post(address, {"what": "notify", "url": "http://127.0.0.1:9/n", "attempt": attempt})
    assert [one.id.hex for one in log.notices(shop.merchant_id, 9)] == [attempt]
    assert "Being sent" in page(owner, "merchant-test-result", shop.client_ref, attempt)
