"""A second factor, set up and logged in with: the app, recovery codes, a passkey."""

from __future__ import annotations

import re
import time
from dataclasses import replace

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser

from comptoir.identity import api as identity
from tests.web.pages import DESK, aside, client_of, complaints, open_as, shot
from tests.web.test_signin import log_in
from tests.web.world import PASSWORD, World


@pytest.fixture(autouse=True)
def required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "COMPTOIR", replace(settings.COMPTOIR, staff_mfa_required=True))


def code_now(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def set_up_app(client: Client) -> str:
    """Set the app up as its owner does; the app's key."""
    page = client.get("/me/app").content.decode()
    found = re.search(r'class="secret">([A-Z2-7]+)<', page)
    assert found
    answer = client.post("/me/app", {"code": code_now(found[1])})
    assert (answer.status_code, answer["Location"]) == (302, "/me/codes")
    return found[1]


def test_the_app_opens_the_work_and_is_asked_at_the_next_login(world: World) -> None:
    owner = world.shop.owner
    client = client_of(owner)
    assert client.get("/merchant/")["Location"] == "/me"
    assert client.get("/me/app")["Location"].startswith("/me/again?"), "first the password once more"
    assert client.post("/me/again?next=/me/app", {"password": PASSWORD})["Location"] == "/me/app"
    secret = set_up_app(client)
    assert client.get("/merchant/").status_code == 200
    kept = Authenticator.objects.get(type="totp").data["secret"]
    assert secret not in kept, "the key is sealed"

    again = client_of(None)
    assert log_in(again, owner.login)["Location"] == "/login/code"
    assert again.get("/merchant/").status_code == 302, "the password alone is not enough"
    assert again.post("/login/code", {"code": "000000"}).status_code == 200
    # The code that set it up is spent; the next one is not there yet: a recovery code does.
    recovery = re.findall(r"<li>(\d{8})</li>", client.get("/me/codes").content.decode())
    assert len(recovery) == 10
    assert again.post("/login/code", {"code": recovery[0]})["Location"] == "/merchant/"
    assert again.get("/merchant/").status_code == 200
    third = client_of(None)
    log_in(third, owner.login)
    assert third.post("/login/code", {"code": recovery[0]}).status_code == 200, "used once"
    done = [one.action for one in identity.actions(world.shop.merchant_id, person_id=owner.id).entries]
    assert done.count("second_factor.add") >= 1


def test_who_turns_the_last_one_off_sets_up_another_before_anything_else(world: World) -> None:
    client = client_of(world.shop.owner, recent=True)
    set_up_app(client)
    assert client.get("/merchant/").status_code == 200
    assert client.post("/me/app/remove")["Location"] == "/me"
    assert client.get("/merchant/")["Location"] == "/me"


def test_a_passkey_logs_in_alone(world: World, site: str, browser: Browser) -> None:
    # Passkeys are bound to a host name: an address in digits has none.
    site = site.replace("127.0.0.1", "localhost")
    page = open_as(browser, site, world.shop.manager, size=DESK, recent=True)
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    device.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    page.goto("/me/passkeys/new")
    page.get_by_label("Name of the device").fill("Tablet at the till")
    page.get_by_role("button", name="Add").click()
    page.wait_for_url("**/me/codes")
    shot(page, "recovery-codes")
    page.goto("/me/passkeys")
    assert page.get_by_text("Tablet at the till").is_visible()
    page.goto("/merchant/")
    page.get_by_label("Language, theme and login").click()
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/merchant/")
    assert aside(lambda: Authenticator.objects.get(type="webauthn").last_used_at) is not None
    assert not complaints(page), complaints(page)
