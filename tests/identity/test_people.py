"""People: one role, the place that goes with it, and a password that is never kept."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth import authenticate
from django.db import IntegrityError, transaction

from comptoir.identity import api
from comptoir.identity.models import Person
from comptoir.kernel.ids import new_id

pytestmark = pytest.mark.usefixtures("database")

NOW = datetime(2026, 11, 23, 9, 20, 36, tzinfo=UTC)
HERE = UUID(int=7)
PASSWORD = "peper-koek-1830"


def test_a_person_logs_in_with_any_case_and_only_with_the_password() -> None:
    made = api.create_person(" Li.Na ", "李娜", api.Role.TRAVELLER, PASSWORD, now=NOW)
    assert made.login == "li.na"
    assert api.person("LI.NA") == api.person_by_id(made.id) == made
    assert Person.objects.get().password.startswith("argon2$")
    assert authenticate(username="li.na", password=PASSWORD) == Person.objects.get()
    assert authenticate(username="li.na", password="another-one-77") is None
    assert api.person("nobody") is None


@pytest.mark.parametrize(
    ("role", "place"),
    [(role, {"merchant_id": HERE}) for role in ("cashier", "manager", "owner", "accountant")]
    + [("officer", {"office_id": HERE}), ("operator", {}), ("traveller", {})],
)
def test_every_role_has_its_place(role: str, place: dict[str, Any]) -> None:
    made = api.create_person("p", "P", api.Role(role), PASSWORD, now=NOW, **place)
    assert (made.merchant_id, made.office_id) == (place.get("merchant_id"), place.get("office_id"))


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"login": ""}, "login"),
        ({"login": "a b"}, "login"),
        ({"login": "x" * 65}, "login"),
        ({"login": "李"}, "login"),
        ({"display_name": "  "}, "display_name"),
        ({"display_name": "a\x00"}, "display_name"),
        ({"display_name": "x" * 65}, "display_name"),
        ({"password": "short"}, "password"),
        ({"password": "password123"}, "password"),
        ({"role": api.Role.CASHIER}, "merchant_id"),
        ({"merchant_id": HERE}, "merchant_id"),
        ({"role": api.Role.OFFICER}, "office_id"),
        ({"role": api.Role.OFFICER, "office_id": HERE, "merchant_id": HERE}, "merchant_id"),
        ({"office_id": HERE}, "office_id"),
    ],
)
def test_what_is_refused_is_named_and_leaves_nobody(changed: dict[str, Any], field: str) -> None:
    given: dict[str, Any] = {
        "login": "p", "display_name": "P", "role": api.Role.TRAVELLER, "password": PASSWORD, "now": NOW,
    }  # fmt: skip
    with pytest.raises(api.PersonInvalid) as refusal:
        api.create_person(**{**given, **changed})
    assert refusal.value.field == field
    assert not Person.objects.exists()


def test_a_login_is_given_once() -> None:
    api.create_person("p", "First", api.Role.TRAVELLER, PASSWORD, now=NOW)
    with pytest.raises(api.LoginTaken):
        api.create_person("P", "Second", api.Role.OPERATOR, PASSWORD, now=NOW)
    assert Person.objects.get().display_name == "First"


def test_the_database_refuses_a_role_without_its_place() -> None:
    for role, merchant_id, office_id in [
        ("cashier", None, None),
        ("officer", HERE, None),
        ("traveller", HERE, None),
        ("operator", None, HERE),
        ("king", None, None),
    ]:
        row = Person(
            id=new_id(), login=role, display_name=role, role=role, merchant_id=merchant_id,
            office_id=office_id, created_at=NOW, password="!",
        )  # fmt: skip
        with pytest.raises(IntegrityError), transaction.atomic():
            row.save(force_insert=True)
