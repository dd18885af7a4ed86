"""The record of who did what: whose it is, that it is only added to, and that it takes no secret."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import ProgrammingError, transaction

from comptoir.identity import api
from comptoir.identity.api import PersonView, Role
from comptoir.identity.models import AuditEntry
from comptoir.kernel.ids import OPERATOR, new_id

pytestmark = pytest.mark.usefixtures("database")

NOW = datetime(2026, 11, 23, 9, 20, 36, tzinfo=UTC)
SHOP, OTHER, OFFICE = new_id(), new_id(), new_id()


def person(role: Role, merchant_id: UUID | None = None, office_id: UUID | None = None) -> PersonView:
    return PersonView(new_id(), "x", "X", role, merchant_id, office_id, True)


@pytest.mark.parametrize(
    ("who", "owner"),
    [
        (person(Role.CASHIER, SHOP), SHOP),
        (person(Role.OFFICER, office_id=OFFICE), OFFICE),
        (person(Role.OPERATOR), OPERATOR),
    ],
)
def test_an_entry_is_in_the_record_of_where_the_person_works(who: PersonView, owner: UUID) -> None:
    api.record_action(who, "refund.create", now=NOW, subject=("payment", "7"), details={"amount": 1200})
    (entry,) = api.actions(owner).entries
    assert (entry.person_id, entry.action, entry.at) == (who.id, "refund.create", NOW)
    assert (entry.subject_kind, entry.subject_id, entry.details) == ("payment", "7", {"amount": 1200})
    assert not api.actions(OTHER).entries


def test_a_travellers_record_is_their_own() -> None:
    who = person(Role.TRAVELLER)
    api.record_action(who, "wallet.freeze", now=NOW)
    assert len(api.actions(who.id).entries) == 1


def test_pages_follow_each_other_without_gap() -> None:
    one, two = person(Role.CASHIER, SHOP), person(Role.MANAGER, SHOP)
    for number in range(7):
        api.record_action(
            one if number % 2 else two,
            "till.open",
            now=NOW,
            subject=("till", str(number % 3)),
            details={"n": number},
        )
    seen, before = [], None
    while True:
        page = api.actions(SHOP, limit=3, before=before)
        seen += [entry.details["n"] for entry in page.entries]
        if page.older is None:
            break
        before = page.older
    assert seen == [6, 5, 4, 3, 2, 1, 0]
    assert [e.details["n"] for e in api.actions(SHOP, person_id=one.id).entries] == [5, 3, 1]
    assert [e.details["n"] for e in api.actions(SHOP, subject=("till", "0")).entries] == [6, 3, 0]


@pytest.mark.parametrize(
    ("action", "subject", "details"),
    [
        ("Refund", None, {}),
        ("refund", None, {}),
        ("refund.create", ("payment", ""), {}),
        ("refund.create", ("payment", "x" * 65), {}),
        ("staff.add", None, {"new_password": "x"}),
        ("staff.add", None, {"PIN": "204681"}),
        ("key.add", None, {"private_key": "x"}),
        ("key.add", None, {"text": "x" * 257}),
        ("key.add", None, {"list": [1]}),
    ],
)
def test_what_is_no_entry_is_refused(
    action: str, subject: tuple[str, str] | None, details: dict[str, str]
) -> None:
    with pytest.raises(api.ActionUnfit):
        api.record_action(person(Role.OWNER, SHOP), action, now=NOW, subject=subject, details=details)
    assert not AuditEntry.objects.exists()


def test_it_stands_only_with_what_was_done() -> None:
    with transaction.atomic():
        api.record_action(person(Role.OWNER, SHOP), "staff.add", now=NOW)
        transaction.set_rollback(True)
    assert not AuditEntry.objects.exists()


def test_nothing_is_changed_or_taken_away() -> None:
    api.record_action(person(Role.OWNER, SHOP), "staff.add", now=NOW)
    for act in (lambda: AuditEntry.objects.update(action="x.y"), lambda: AuditEntry.objects.all().delete()):
        with pytest.raises(ProgrammingError, match="append-only"), transaction.atomic():
            act()
    assert api.actions(SHOP).entries[0].action == "staff.add"
