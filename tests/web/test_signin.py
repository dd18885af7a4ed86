"""Logging in and out: who comes in at which door, for how long, and who is asked for more."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser

from comptoir.identity import api as identity
from comptoir.identity.api import Role
from comptoir.kernel.clock import utc_now
from comptoir.web.components import access, sessions
from tests.web.pages import DESK, assert_accessible, assert_fits, client_of, complaints, open_as, shot
from tests.web.world import PASSWORD, World

HOMES = {
    Role.CASHIER: "/counter/",
    Role.MANAGER: "/merchant/",
    Role.OWNER: "/merchant/",
    Role.ACCOUNTANT: "/merchant/",
    Role.OFFICER: "/arrival",
    Role.OPERATOR: "/arrival",
}


def log_in(client: Client, login: str, password: str = PASSWORD, door: str = "/login") -> Any:
    return client.post(door, {"login": login, "password": password})


@pytest.mark.parametrize("role", HOMES)
def test_staff_arrive_at_their_own_door(world: World, role: Role) -> None:
    client = client_of(None)
    answer = log_in(client, world.person(role).login.upper())
    assert (answer.status_code, answer["Location"]) == (302, HOMES[role])
    assert client.get(HOMES[role], follow=True).status_code == 200
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


@pytest.mark.parametrize("typed", ["+8613900000001", "139 0000 0001", "0086-13900000001"])
def test_a_traveller_logs_in_by_phone_number(world: World, typed: str) -> None:
    answer = log_in(client_of(None), typed, door="/wallet/login")
    assert (answer.status_code, answer["Location"]) == (302, "/wallet/")


def test_every_refusal_is_the_same_sentence(world: World) -> None:
    def told(login: str, password: str, door: str) -> str:
        answer = log_in(client_of(None), login, password, door)
        assert answer.status_code == 200
        (error,) = re.findall(r'role="alert".*?<p>(.*?)</p>', answer.content.decode(), re.S)
        return str(error)

    cashier, traveller = world.shop.cashier.login, world.traveller.person.login
    assert (
        told("nobody", PASSWORD, "/login")
        == told(cashier, "wrong", "/login")
        == told(traveller, PASSWORD, "/login")
        == told(cashier, PASSWORD, "/wallet/login")
    )


def test_guessing_is_stopped_in_every_process(world: World) -> None:
    login = world.shop.manager.login
    for _ in range(5):
        log_in(client_of(None), login, "wrong")
    answer = log_in(client_of(None), login)
    assert "Too many attempts" in answer.content.decode()
    assert "_auth_user_id" not in client_of(None).session


def test_the_session_changes_its_name_at_login(world: World) -> None:
    client = client_of(None)
    client.session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = before = client.session.session_key or ""
    log_in(client, world.shop.cashier.login)
    assert client.cookies[settings.SESSION_COOKIE_NAME].value != before


def test_logging_out_takes_a_post(world: World) -> None:
    client = client_of(world.shop.cashier)
    assert client.get("/logout").status_code == 405
    assert client.get("/counter/till").status_code == 200
    assert client.post("/logout")["Location"] == "/login"
    assert client.get("/counter/")["Location"].startswith("/login?next=")


@pytest.mark.parametrize(
    ("role", "page", "still", "over"),
    [
        (Role.CASHIER, "/counter/till", timedelta(hours=11), timedelta(hours=13)),
        (Role.OWNER, "/merchant/", timedelta(minutes=29), timedelta(minutes=31)),
        (Role.TRAVELLER, "/wallet/", timedelta(days=13), timedelta(days=15)),
    ],
)
def test_a_login_lasts_as_long_as_its_role(
    world: World, monkeypatch: pytest.MonkeyPatch, role: Role, page: str, still: timedelta, over: timedelta
) -> None:
    client = client_of(world.person(role))
    now = utc_now()
    monkeypatch.setattr(access, "utc_now", lambda: now + still)
    assert client.get(page).status_code == 200
    # Looked at just now: the pause counts from there, the whole from the login.
    later = now + over + (still if sessions.idle(role) < sessions.longest(role) else timedelta(0))
    monkeypatch.setattr(access, "utc_now", lambda: later)
    assert client.get(page).status_code == 302
    monkeypatch.setattr(access, "utc_now", lambda: now)
    assert client.get(page).status_code == 302, "what is over stays over"


def test_staff_are_asked_for_a_second_factor_where_it_is_required(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "COMPTOIR", replace(settings.COMPTOIR, staff_mfa_required=True))
    client = client_of(world.shop.owner)
    assert client.get("/merchant/")["Location"] == "/me"
    assert client.get("/me").status_code == 200
    assert client_of(world.traveller.person).get("/wallet/").status_code == 200


def test_a_password_that_somebody_else_knows_is_changed_first(world: World) -> None:
    made, password = identity.create_staff(
        world.shop.owner.id, "new@one.example", "Lotte", Role.CASHIER, now=utc_now()
    )
    client = client_of(None)
    log_in(client, made.login, password)
    assert client.get("/counter/")["Location"] == "/me/password"
    chosen = {"oldpassword": password, "password1": "peper-koek-1830", "password2": "peper-koek-1830"}
    assert client.post("/me/password", chosen)["Location"] == "/counter/"
    assert client.get("/counter/", follow=True).status_code == 200
    done = [entry.action for entry in identity.actions(world.shop.merchant_id, person_id=made.id).entries]
    assert done == ["login.change", "login.succeed"]


def test_a_part_of_a_page_leads_the_whole_page_to_the_login(world: World) -> None:
    part = {"host": "localhost", "hx-request": "true", "hx-current-url": "http://localhost/counter/?day=1"}
    answer = client_of(None).get("/counter/", headers=part)
    assert answer.status_code == 401
    assert answer["HX-Redirect"] == "/login?next=%2Fcounter%2F%3Fday%3D1"
    elsewhere = part | {"hx-current-url": "https://evil.example/x"}
    assert client_of(None).get("/counter/", headers=elsewhere)["HX-Redirect"] == "/login?next=%2F"
    script = {"host": "localhost", "accept": "application/json"}
    assert client_of(None).get("/counter/", headers=script).status_code == 401


def test_a_page_is_refused_to_another_role(world: World) -> None:
    answer = client_of(world.shop.cashier).get("/merchant/")
    assert answer.status_code == 403
    assert "This page is not for you" in answer.content.decode()


@pytest.mark.parametrize("dark", [False, True])
def test_the_login_as_people_see_it(world: World, site: str, browser: Browser, dark: bool) -> None:
    for name, size in (("phone", None), ("desk", DESK)):
        page = open_as(browser, site, None, size=size, dark=dark)
        page.goto("/login")
        page.get_by_label("Login", exact=True).fill(world.shop.cashier.login)
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Log in", exact=True).click()
        page.get_by_role("alert").filter(has_text="not right").wait_for()
        shot(page, f"login-{name}-{'dark' if dark else 'light'}")
        assert_accessible(page)
        assert_fits(page)
        page.get_by_label("Language, theme and login").click()
        shot(page, f"menu-{name}-{'dark' if dark else 'light'}")
        page.get_by_role("button", name="Nederlands").click()
        assert page.locator("html").get_attribute("lang") == "nl"
        assert not complaints(page), complaints(page)
