"""Every address of the people's doors, who it is for, and that nobody else gets anything there.

A room adds one row for each of its addresses; an address without a row fails here. A row says for whom the
page is and, for every part of the address that names a thing, where the *owner's* thing comes from: the same
address is then asked for by everybody else who must be refused, with the owner's own id in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from comptoir.identity.api import Role
from tests.conftest import Database
from tests.web.pages import client_of
from tests.web.things import THINGS, Things, make_things
from tests.web.world import World, make_world

#: A thing's id as it stands in an address. Its name says what it is and so whose: see tests/web/things.py.
Parts = Mapping[str, str]

ANYBODY = None
STAFF = frozenset(Role) - {Role.TRAVELLER}
EVERYBODY = frozenset(Role)
AT_COUNTER = frozenset({Role.CASHIER, Role.MANAGER, Role.OWNER})


@dataclass(frozen=True)
class Row:
    """An address by its name. `roles`: who it is for; None: anybody. `parts`: what stands in it."""

    name: str
    roles: frozenset[Role] | None
    parts: Parts = field(default_factory=dict)
    #: False where the thing is everybody's who knows its code.
    owned: bool = True


def row(name: str, *roles: Role, owned: bool = True, **parts: str) -> Row:
    return Row(name, frozenset(roles) or ANYBODY, parts, owned)


def own(name: str, roles: frozenset[Role], **parts: str) -> Row:
    return Row(name, roles, parts)


SHARED = [
    row("preferences"),
    row("home"),
    row("order", owned=False, digits="order_digits"),
    row("order-code", owned=False, digits="order_digits"),
    row("agreement", owned=False, code="consent_code"),
    row("agreement-code", owned=False, code="consent_code"),
    row("entry", owned=False, ref="entry_ref"),
]
SIGNIN = [
    row("login"),
    row("account_login"),
    row("wallet-login"),
    row("logout"),
    row("account_logout"),
    row("mfa_authenticate"),
    row("mfa_login_webauthn"),
    row("arrival", Role.OFFICER, Role.OPERATOR),
    own("mfa_index", STAFF),
    own("account_reauthenticate", EVERYBODY),
    own("account_change_password", EVERYBODY),
    *(
        own(name, STAFF)
        for name in (
            "mfa_reauthenticate",
            "mfa_reauthenticate_webauthn",
            "mfa_activate_totp",
            "mfa_deactivate_totp",
            "mfa_view_recovery_codes",
            "mfa_generate_recovery_codes",
            "mfa_list_webauthn",
            "mfa_add_webauthn",
        )
    ),
    own("mfa_edit_webauthn", STAFF, pk="passkey"),
    own("mfa_remove_webauthn", STAFF, pk="passkey"),
]
WALLET = [
    row("wallet-code"),
    row("wallet-news"),
    row("wallet-offline"),
    row("wallet-manifest"),
    row("wallet-worker"),
    *(
        row(name, Role.TRAVELLER)
        for name in (
            "wallet-home",
            "wallet-me",
            "wallet-code-plain",
            "wallet-setup",
            "wallet-scan",
            "wallet-scan-read",
            "wallet-movements",
            "wallet-agreements",
            "wallet-limits",
            "wallet-pin",
            "wallet-devices",
            "wallet-leave",
            "wallet-freeze",
            "wallet-unfreeze",
        )
    ),
    row("wallet-shop", Role.TRAVELLER, owned=False, ref="entry_ref"),
    row("wallet-consent", Role.TRAVELLER, owned=False, code="consent_code"),
    row("wallet-ask", Role.TRAVELLER, authorization_id="authorization"),
    row("wallet-result", Role.TRAVELLER, authorization_id="authorization"),
    row("wallet-payment", Role.TRAVELLER, authorization_id="authorization"),
    row("wallet-agreement", Role.TRAVELLER, agreement_id="wallet_agreement"),
]
COUNTER = [
    row("counter-offline"),
    row("counter-manifest"),
    row("counter-worker"),
    own("counter-home", AT_COUNTER),
    own("counter-place", AT_COUNTER),
    # A sale's id names nothing but a payment of the visitor's own merchant: elsewhere it is a fresh one.
    Row("counter-sale", AT_COUNTER, {"sale_id": "sale"}, owned=False),
    own("counter-read", AT_COUNTER),
    own("counter-day", AT_COUNTER),
    own("counter-totals", AT_COUNTER),
    own("counter-poster", AT_COUNTER),
    own("counter-payment", AT_COUNTER, payment_id="payment"),
    own("counter-close", AT_COUNTER, payment_id="payment"),
    own("counter-refund", AT_COUNTER, payment_id="payment"),
    own("counter-receipt", AT_COUNTER, payment_id="payment"),
    own("counter-receipt-pdf", AT_COUNTER, payment_id="payment"),
]
_READ = (Role.OWNER, Role.MANAGER, Role.ACCOUNTANT)
_ACT = (Role.OWNER, Role.MANAGER)
MERCHANT = [
    row("merchant-home", *_READ),
    row("merchant-sandbox", *_READ),
    row("merchant-payments", *_READ),
    row("merchant-payment", *_READ, payment_id="desk_payment"),
    row("merchant-refund", *_ACT, payment_id="desk_payment"),
    row("merchant-export", *_READ, owned=False, what="export_kind", form="export_form"),
    row("merchant-disputes", *_READ),
    row("merchant-dispute", *_READ, dispute_id="desk_dispute"),
    row("merchant-paper", *_READ, dispute_id="desk_dispute", role="paper_role"),
    row("merchant-accept", *_ACT, dispute_id="desk_dispute"),
    row("merchant-defend", *_ACT, dispute_id="desk_dispute"),
    row("merchant-stores", *_READ),
    row("merchant-staff", Role.OWNER),
    row("merchant-person", Role.OWNER, person_id="desk_person"),
    row("merchant-person-change", Role.OWNER, person_id="desk_person"),
    row("merchant-clients", Role.OWNER),
    row("merchant-client", Role.OWNER, client_ref="desk_client"),
    row("merchant-client-change", Role.OWNER, client_ref="desk_client"),
    row("merchant-check", Role.OWNER, client_ref="desk_client"),
    row("merchant-test-result", Role.OWNER, client_ref="desk_client", test_id="desk_notice"),
    row("merchant-notices", *_READ),
    row("merchant-resend", *_ACT, notice_id="desk_notice"),
    row("merchant-record", Role.OWNER),
]

TABLE = [*SHARED, *SIGNIN, *WALLET, *COUNTER, *MERCHANT]


def _patterns(resolver: URLResolver) -> Iterator[URLPattern]:
    for one in resolver.url_patterns:
        if isinstance(one, URLResolver):
            yield from _patterns(one)
        else:
            yield one


PATTERNS = list(_patterns(get_resolver()))


def test_every_address_is_in_the_table_once() -> None:
    names = [one.name for one in PATTERNS]
    assert None not in names, "an address has no name"
    assert sorted(map(str, names)) == sorted(one.name for one in TABLE)


def test_every_view_says_what_the_table_says() -> None:
    declared = {one.name: getattr(one.callback, "page", None) for one in PATTERNS}
    assert all(declared.values()), [name for name, page in declared.items() if page is None]
    for one in TABLE:
        assert declared[one.name].audience == one.roles, one.name
        converters = next(two.pattern.converters for two in PATTERNS if two.name == one.name)
        assert set(one.parts) == set(converters), f"{one.name}: every part of the address has its thing"
        assert set(one.parts.values()) <= set(THINGS), one.name


@pytest.fixture(scope="module")
def everything(module_database: Database) -> tuple[World, Things]:
    world = make_world()
    return world, make_things(world)


def _refused(client: Client, address: str, method: str) -> bool:
    """Led to a login, refused, or told that there is no such thing; nothing else counts."""
    answer = client.generic(method, address)
    if answer.status_code in (301, 302, 303):
        target = answer["Location"]
        return target.startswith(("/login", "/wallet/login"))
    return answer.status_code in (401, 403, 404, 405)


def _methods(client: Client, address: str) -> Iterator[Callable[[], bool]]:
    for method in ("GET", "POST"):
        yield lambda method=method: _refused(client, address, method)  # type: ignore[misc]


@pytest.mark.parametrize("one", [one for one in TABLE if one.roles is not None], ids=lambda one: one.name)
def test_it_is_closed_to_everybody_else(one: Row, everything: tuple[World, Things]) -> None:
    """Nobody logged in, every other role, and the same roles elsewhere for what is another's."""
    world, things = everything
    assert one.roles is not None
    address = reverse(one.name, kwargs={part: things[thing].key for part, thing in one.parts.items()})
    strangers = [None, *(world.person(role) for role in Role if role not in one.roles)]
    if one.parts and one.owned:
        of = {person.id for thing in one.parts.values() for person in things[thing].owners}
        strangers += [person for person in things.people if person.role in one.roles and person.id not in of]
    for stranger in strangers:
        for refused in _methods(client_of(stranger, recent=True), address):
            assert refused(), f"{address} is open to {stranger.login if stranger else 'nobody'}"
