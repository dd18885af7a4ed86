"""A merchant's staff: whom an owner brings in, changes and lets go, and what nobody may do."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth import authenticate
from django.db import connections
from msgspec.structs import replace

from comptoir.identity import api
from comptoir.identity.api import PersonView, Role, StaffRefused
from comptoir.identity.models import Person
from comptoir.kernel.ids import new_id

pytestmark = pytest.mark.usefixtures("module_database")

NOW = datetime(2026, 11, 23, 9, 20, 36, tzinfo=UTC)
PASSWORD = "peper-koek-1830"


def person(role: Role, merchant_id: UUID) -> PersonView:
    return api.create_person(
        f"{new_id().hex}@shop.example", "P", role, PASSWORD, now=NOW, merchant_id=merchant_id
    )


@pytest.fixture
def shop() -> UUID:
    return new_id()


@pytest.fixture
def owner(shop: UUID) -> PersonView:
    return person(Role.OWNER, shop)


def as_is(one: PersonView) -> PersonView | None:
    return api.person_by_id(one.id)


def test_an_owner_brings_in_staff_who_choose_their_own_password(owner: PersonView, shop: UUID) -> None:
    login = f"{new_id().hex}@shop.example"
    made, password = api.create_staff(owner.id, login, " Sofie ", Role.CASHIER, now=NOW)
    assert made == api.person(login)
    assert (made.merchant_id, made.role, made.must_change_password) == (shop, Role.CASHIER, True)
    assert len(password) == 16
    assert authenticate(username=login, password=password)
    api.password_changed(made.id)
    assert as_is(made) == replace(made, must_change_password=False)
    with pytest.raises(api.LoginTaken):
        api.create_staff(owner.id, login, "Sofie", Role.CASHIER, now=NOW)
    assert {one.login for one in api.staff(shop)} == {owner.login, login}
    assert api.staff(new_id()) == ()


@pytest.mark.parametrize("role", [Role.MANAGER, Role.CASHIER, Role.ACCOUNTANT])
def test_nobody_but_an_owner_changes_staff(shop: UUID, role: Role, owner: PersonView) -> None:
    actor, target = person(role, shop), person(Role.CASHIER, shop)
    kept = Person.objects.get(id=target.id).password
    attempts: list[Any] = [
        lambda: api.create_staff(actor.id, "new@shop.example", "N", Role.CASHIER, now=NOW),
        lambda: api.change_role(actor.id, target.id, Role.OWNER),
        lambda: api.set_staff_active(actor.id, target.id, active=False, now=NOW),
        lambda: api.reset_password(actor.id, target.id),
        lambda: api.end_staff_logins(actor.id, target.id, now=NOW),
    ]
    for attempt in attempts:
        with pytest.raises(StaffRefused):
            attempt()
    assert as_is(target) == target
    assert as_is(owner) == owner
    assert Person.objects.get(id=target.id).password == kept
    assert api.person("new@shop.example") is None


def test_nobody_reaches_into_another_merchant(owner: PersonView) -> None:
    stranger = person(Role.MANAGER, new_id())
    traveller = api.create_person(f"+{new_id().int % 10**13}", "T", Role.TRAVELLER, PASSWORD, now=NOW)
    attempts: list[Any] = [
        lambda target: api.change_role(owner.id, target, Role.CASHIER),
        lambda target: api.set_staff_active(owner.id, target, active=False, now=NOW),
        lambda target: api.reset_password(owner.id, target),
        lambda target: api.end_staff_logins(owner.id, target, now=NOW),
    ]
    for target in (stranger, traveller):
        for attempt in attempts:
            with pytest.raises(StaffRefused):
                attempt(target.id)
        assert as_is(target) == target


def test_nobody_changes_their_own_role_or_lets_themselves_go(owner: PersonView, shop: UUID) -> None:
    person(Role.OWNER, shop)
    for attempt in (
        lambda: api.change_role(owner.id, owner.id, Role.CASHIER),
        lambda: api.set_staff_active(owner.id, owner.id, active=False, now=NOW),
        lambda: api.reset_password(owner.id, owner.id),
        lambda: api.end_staff_logins(owner.id, owner.id, now=NOW),
    ):
        with pytest.raises(StaffRefused) as refused:
            attempt()
        assert refused.value.field == "self"
    assert as_is(owner) == owner


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.OFFICER, Role.TRAVELLER])
def test_a_merchant_gives_only_its_own_roles(owner: PersonView, shop: UUID, role: Role) -> None:
    target = person(Role.CASHIER, shop)
    with pytest.raises(StaffRefused):
        api.change_role(owner.id, target.id, role)
    with pytest.raises(StaffRefused):
        api.create_staff(owner.id, f"{new_id().hex}@x.example", "X", role, now=NOW)
    assert as_is(target) == target


def test_whoever_is_let_go_is_out_and_can_come_back(owner: PersonView, shop: UUID) -> None:
    target = person(Role.MANAGER, shop)
    for _ in range(2):
        assert not api.set_staff_active(owner.id, target.id, active=False, now=NOW).active
    assert authenticate(username=target.login, password=PASSWORD) is None
    assert api.set_staff_active(owner.id, target.id, active=True, now=NOW).active
    assert authenticate(username=target.login, password=PASSWORD)


def test_a_reset_password_works_once_more_and_the_old_one_never(owner: PersonView, shop: UUID) -> None:
    target = person(Role.CASHIER, shop)
    password = api.reset_password(owner.id, target.id)
    assert authenticate(username=target.login, password=password)
    assert authenticate(username=target.login, password=PASSWORD) is None
    assert as_is(target) == replace(target, must_change_password=True)


def test_two_owners_who_end_each_others_work_leave_one(shop: UUID) -> None:
    """Real threads on real connections: whoever comes second is no owner at work any more."""
    first, second = person(Role.OWNER, shop), person(Role.OWNER, shop)
    gate, refused = threading.Barrier(2), []

    def end(actor: PersonView, target: PersonView) -> None:
        try:
            gate.wait()
            api.set_staff_active(actor.id, target.id, active=False, now=NOW)
        except StaffRefused as error:
            refused.append(error.field)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=end, args=pair) for pair in ((first, second), (second, first))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert [one.active for one in api.staff(shop)] == [True, False]
