"""Logging in and out: who comes in at which door, for how long, and who is asked for more."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
from playwright.sync_api import Browser

from comptoir.identity import api as identity
from comptoir.identity.api import PersonView, Role
from comptoir.kernel.clock import utc_now
from comptoir.web.components import access, sessions
from tests.web.pages import DESK, assert_accessible, assert_fits, client_of, complaints, limit, open_as, shot
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


@pytest.mark.parametrize("typed", ["+8613900000001", "139 0000 0001", "0086-13900000001", "86 139 0000 0001"])
def test_a_traveller_logs_in_by_phone_number(world: World, typed: str) -> None:
    answer = log_in(client_of(None), typed, door="/wallet/login")
    assert (answer.status_code, answer["Location"]) == (302, "/wallet/")


def test_every_refusal_at_a_door_is_the_same_sentence(world: World) -> None:
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
        == "The login or the password is not right."
    )
    assert (
        told("nobody", PASSWORD, "/wallet/login")
        == told(cashier, PASSWORD, "/wallet/login")
        == told(traveller, "wrong", "/wallet/login")
        == "The phone number or the password is not right."
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


LANGUAGE = settings.LANGUAGE_COOKIE_NAME


def choose(client: Client, **chosen: str) -> None:
    assert client.post("/preferences", chosen | {"next": "/login"}).status_code == 303


def chosen_by(person: PersonView) -> tuple[str | None, str | None]:
    found = identity.person_by_id(person.id)
    assert found is not None
    return found.language, found.theme


@pytest.mark.parametrize(("role", "door"), [(Role.CASHIER, "/login"), (Role.TRAVELLER, "/wallet/login")])
def test_language_and_theme_come_along_to_another_device(world: World, role: Role, door: str) -> None:
    person = world.person(role)
    here = client_of(person)
    choose(here, language="nl")
    choose(here, theme="dark")
    assert chosen_by(person) == ("nl", "dark")
    there = client_of(None)
    answer = log_in(there, person.login, door=door)
    assert [answer.cookies[name].value for name in (LANGUAGE, "theme")] == ["nl", "dark"]
    page = there.get(answer["Location"], follow=True).content.decode()
    assert 'lang="nl"' in page
    assert 'data-theme="dark"' in page


def test_they_come_along_behind_a_second_factor(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    manager = world.shop.manager
    identity.keep_preferences(manager.id, language="fr")
    TOTP.activate(get_user_model().objects.get(pk=manager.id), "JBSWY3DPEHPK3PXP")
    monkeypatch.setattr(TOTP, "validate_code", lambda self, code: code == "123456")
    client = client_of(None)
    first = log_in(client, manager.login)
    assert (first["Location"], LANGUAGE in first.cookies) == ("/login/code", False), "not in yet"
    second = client.post("/login/code", {"code": "123456"})
    assert (second["Location"], second.cookies[LANGUAGE].value) == ("/merchant/", "fr")


def test_what_a_visitor_chooses_stays_in_the_browser(world: World) -> None:
    """Whoever logs in at the same till next may read another language."""
    cashier, client = world.shop.cashier, client_of(None)
    choose(client, language="de", theme="light")
    assert client.cookies[LANGUAGE].value == "de"
    answer = log_in(client, cashier.login)
    assert LANGUAGE not in answer.cookies, "nothing is kept for this person: the browser's choice stays"
    assert chosen_by(cashier) == (None, None)
    assert 'lang="de"' in client.get("/counter/till").content.decode()


def test_a_login_that_is_over_keeps_nothing(world: World) -> None:
    cashier = world.shop.cashier
    client = client_of(cashier)
    identity.end_logins(cashier.id, now=utc_now())
    choose(client, language="de")
    assert client.cookies[LANGUAGE].value == "de"
    assert chosen_by(cashier) == (None, None)


@pytest.mark.parametrize("chosen", [{"language": "xx"}, {"theme": "pink"}, {"language": "../x"}, {}])
def test_what_is_no_language_or_theme_is_not_kept(world: World, chosen: dict[str, str]) -> None:
    cashier = world.shop.cashier
    identity.keep_preferences(cashier.id, language="nl", theme="dark")
    client = client_of(cashier)
    choose(client, **chosen)
    assert chosen_by(cashier) == ("nl", "dark")
    assert LANGUAGE not in client.cookies


def test_another_sites_form_cannot_choose_for_a_person(world: World) -> None:
    """The form carries no token: that the session's cookie stays away from other sites' forms is the wall."""
    assert settings.SESSION_COOKIE_SAMESITE == "Lax"
    forged = Client(enforce_csrf_checks=True, headers={"host": "localhost"})
    assert forged.post("/preferences", {"language": "de"}).status_code == 303
    assert {chosen_by(one) for one in (world.shop.cashier, world.shop.owner)} == {(None, None)}


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


#: Of every role: the page where the menu is looked at, and where else it leads.
MENUS = {
    Role.CASHIER: ("/counter/till", {"/counter/", "/me"}),
    Role.MANAGER: ("/merchant/", {"/counter/", "/merchant/", "/me"}),
    Role.OWNER: ("/counter/till", {"/counter/", "/merchant/", "/me"}),
    Role.ACCOUNTANT: ("/merchant/", {"/merchant/", "/me"}),
    Role.OPERATOR: ("/arrival", {"/me"}),
    Role.TRAVELLER: ("/wallet/", set()),
}


@pytest.mark.parametrize("role", MENUS)
def test_the_menu_leads_to_ones_own_doors_and_login(world: World, role: Role) -> None:
    address, wanted = MENUS[role]
    client = client_of(world.person(role))
    (menu,) = re.findall(r'<details class="menu".*?</details>', client.get(address).content.decode(), re.S)
    found = set(re.findall(r'href="([^"]+)"', menu))
    assert found == wanted
    assert all(client.get(one, follow=True).status_code == 200 for one in found)


#: Forms whose words are django-allauth's and Django's: the address, and what is not right.
FOREIGN_FORMS = (
    ("/me/password", {"oldpassword": "wrong", "password1": "correct horse one", "password2": "other"}),
    ("/me/password", {"oldpassword": "", "password1": "12345", "password2": "12345"}),
    ("/me/app", {"code": "000000"}),
    ("/me/app", {"code": ""}),
    ("/me/again", {"password": "wrong"}),
)
#: What is the same word in two languages.
SAME_WORD = {("fr", "Code"), ("nl", "Code"), ("de", "Code")}


def test_a_login_speaks_one_language_at_a_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(monkeypatch, change_password="100/m/user", reauthenticate="100/m/user", login_failed="100/m/ip")

    def said(address: str, wrong: dict[str, str], language: str) -> list[str]:
        client = client_of(world.shop.manager, recent=True)
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
        text = "".join(client.get(address).content.decode().partition("<main")[1:])
        text += "".join(client.post(address, wrong).content.decode().partition("<main")[1:])
        shown = re.findall(r"<(?:label|li|p|h1|h2|button)\b[^>]*>([^<>]*[^\W\d_][^<>]*)<", text)
        return shown + re.findall(r'placeholder="([^"]*)"', text)

    for address, wrong in FOREIGN_FORMS:
        english = said(address, wrong, "en")
        assert len(english) > 3
        for language, _name in settings.LANGUAGES[:-1]:
            own = said(address, wrong, language)
            assert len(own) == len(english), (address, language)
            left = [one for one in own if one in english and (language, one) not in SAME_WORD]
            assert not left, (address, language, left)


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
