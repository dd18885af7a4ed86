"""`comptoir people`: who logs in, helped without SQL; what is refused changes nothing."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth import authenticate

from comptoir.acquiring import api as acquiring
from comptoir.identity import api as identity
from comptoir.kernel.ids import OPERATOR
from tests.cli.conftest import quick_passwords
from tests.cli.operators import REF, Capture, done, listed, refused
from tests.conftest import Database
from tests.web.pages import client_of

LOGIN = "owner@sablon.example"

State = Callable[[], dict[str, Any]]


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    with quick_passwords():
        yield


@pytest.fixture
def owner(shop: None, capsys: Capture) -> str:
    """The first person of a merchant, brought in by the command; the password."""
    return password_of(
        capsys, "people", "add", LOGIN, "--name", "Marguerite", "--role", "owner", "--merchant", REF
    )


@pytest.fixture
def state(database: Database) -> State:
    """All that these commands may write, to compare before and after."""

    def read() -> dict[str, Any]:
        with psycopg.connect(database.url) as connection:
            return {
                table: connection.execute(f"SELECT to_jsonb(t) FROM {table} t ORDER BY 1").fetchall()
                for table in ("identity_person", "mfa_authenticator", "identity_audit_entry")
            }

    return read


def password_of(capsys: Capture, *words: str) -> str:
    """The last line that a command printed."""
    capsys.readouterr()
    done(*words)
    return capsys.readouterr().out.splitlines()[-1]


def with_factors() -> identity.PersonView:
    person = identity.person(LOGIN)
    assert person is not None
    for kind in Authenticator.Type:
        Authenticator.objects.create(user_id=person.id, type=kind, data={"name": "phone"})
    return person


def actions(person: identity.PersonView) -> list[tuple[str, Any]]:
    merchant = acquiring.merchant_summary(REF)
    page = identity.actions(merchant.id, subject=("person", person.id.hex))
    return [(one.action, one.person_id) for one in page.entries]


def test_the_first_owner_comes_in_by_command_and_chooses_a_password(owner: str, capsys: Capture) -> None:
    person = identity.person(LOGIN)
    assert person is not None
    assert (person.role, person.merchant_id) == (identity.Role.OWNER, acquiring.merchant_summary(REF).id)
    assert person.must_change_password
    assert authenticate(username=LOGIN, password=owner)
    assert actions(person) == [("staff.create", OPERATOR)]


@pytest.mark.parametrize(
    "words",
    [
        ("add", LOGIN, "--name", "Twice", "--role", "owner", "--merchant", REF),
        ("add", "x@y.example", "--name", "X", "--role", "owner"),
        ("add", "x@y.example", "--name", "X", "--role", "operator", "--merchant", REF),
        ("add", "x@y.example", "--name", "X", "--role", "officer", "--office", "none"),
        ("add", "x@y.example", "--name", "X", "--role", "king"),
        ("add", "x@y.example", "--name", "X", "--role", "traveller"),
        ("add", "x y", "--name", "X", "--role", "operator"),
        ("reset-second-factor", "nobody", "--yes"),
        ("new-password", "nobody"),
        ("deactivate", "nobody"),
        ("activate", "nobody"),
        ("list", "--role", "king"),
        ("list", "--merchant", "M404"),
        ("list", "--lines", "0"),
    ],
)
def test_what_is_refused_changes_nothing(
    owner: str, state: State, capsys: Capture, words: tuple[str, ...]
) -> None:
    before = state()
    refused(capsys, "people", *words)
    assert state() == before


def test_people_are_listed_with_what_helps_to_help_them(owner: str, capsys: Capture) -> None:
    done("people", "add", "nora@comptoir.example", "--name", "Nora", "--role", "operator")
    with_factors()
    (one,) = listed(capsys, "people", "list", "--merchant", REF)
    assert (one["login"], one["role"], one["merchant"]) == (LOGIN, "owner", REF)
    assert (one["active"], one["second_factor"], one["must_change_password"]) == (True, True, True)
    assert one["last_login"] is None
    client_of(identity.person(LOGIN))
    (one,) = listed(capsys, "people", "list", "--role", "owner")
    assert one["last_login"] is not None
    (nora,) = listed(capsys, "people", "list", "--role", "operator")
    assert (nora["merchant"], nora["second_factor"]) == (None, False)
    first = listed(capsys, "people", "list", "--lines", "1")
    second = listed(capsys, "people", "list", "--lines", "1", "--after", first[0]["login"])
    assert [first[0]["login"], second[0]["login"]] == ["nora@comptoir.example", LOGIN]
    done("people", "list")
    said = capsys.readouterr().out
    assert "Marguerite" in said
    assert owner not in said


def test_a_lost_second_factor_goes_and_ends_every_login(owner: str, capsys: Capture) -> None:
    person = with_factors()
    identity.password_changed(person.id)
    browsers = [client_of(person), client_of(person)]
    assert [one.get("/merchant/").status_code for one in browsers] == [200, 200]
    done("people", "reset-second-factor", LOGIN.upper(), "--yes")
    assert not Authenticator.objects.filter(user_id=person.id).exists()
    assert [one.get("/merchant/")["Location"] for one in browsers] == ["/login?next=%2Fmerchant%2F"] * 2
    assert actions(person)[0] == ("staff.second_factor", OPERATOR)
    assert client_of(person).get("/merchant/").status_code == 200, "a new login is as good as ever"
    capsys.readouterr()


def test_who_has_none_loses_nothing(owner: str, state: State, capsys: Capture) -> None:
    before = state()
    done("people", "reset-second-factor", LOGIN, "--yes")
    assert "nothing was changed" in capsys.readouterr().out
    assert state() == before


@pytest.mark.parametrize("answer", ["", "n", "perhaps", "Y"])
def test_it_is_asked_whether_it_is_meant(
    owner: str, state: State, capsys: Capture, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    person = with_factors()
    before = state()
    refused(capsys, "people", "reset-second-factor", LOGIN)
    assert state() == before, "nobody was there to say yes"
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr(builtins, "input", lambda _: answer)
    if answer == "Y":
        done("people", "reset-second-factor", LOGIN)
        assert not Authenticator.objects.filter(user_id=person.id).exists()
    else:
        refused(capsys, "people", "reset-second-factor", LOGIN)
        assert state() == before


def test_a_new_password_is_printed_once_and_ends_every_login(owner: str, capsys: Capture) -> None:
    person = identity.person(LOGIN)
    assert person is not None
    identity.password_changed(person.id)
    browser = client_of(person)
    password = password_of(capsys, "people", "new-password", LOGIN)
    assert authenticate(username=LOGIN, password=owner) is None
    assert authenticate(username=LOGIN, password=password)
    assert browser.get("/merchant/").status_code == 302
    assert client_of(person).get("/merchant/")["Location"] == "/me/password"
    entry = identity.actions(acquiring.merchant_summary(REF).id).entries
    assert password not in str(entry)
    assert actions(person)[0] == ("staff.reset", OPERATOR)


def test_who_is_let_go_and_comes_back_logs_in_anew(owner: str, capsys: Capture) -> None:
    person = identity.person(LOGIN)
    assert person is not None
    identity.password_changed(person.id)
    browser = client_of(person)
    for _ in range(2):
        done("people", "deactivate", LOGIN)
    assert browser.get("/merchant/").status_code == 302
    assert authenticate(username=LOGIN, password=owner) is None
    (one,) = listed(capsys, "people", "list")
    assert not one["active"]
    for _ in range(2):
        done("people", "activate", LOGIN)
    assert browser.get("/merchant/").status_code == 302, "a login of before is over for good"
    assert authenticate(username=LOGIN, password=owner)
    assert [action for action, _ in actions(person)][:2] == ["staff.in", "staff.out"]
    assert len(actions(person)) == 3, "done again, nothing is done"
