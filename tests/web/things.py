"""One of each thing that stands in an address, of the first shop or the first traveller, and who may see it.

A room adds its things to `THINGS` and `make_things`: key (as it stands in the address), and the people who
may open it. Everybody else of the same roles, in the same shop or elsewhere, is a stranger.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from allauth.mfa.models import Authenticator
from django.contrib.auth import get_user_model

from comptoir.acquiring.api import DisputeKind
from comptoir.flows import api as flows
from comptoir.flows.notifications import log
from comptoir.identity.api import PersonView
from comptoir.kernel.clock import utc_now
from comptoir.kernel.ids import new_id
from comptoir.kernel.money import Money
from tests.web.sales import pay
from tests.web.wallet.support import agreed, asked, paid
from tests.web.world import World

THINGS = (
    "order_digits", "consent_code", "entry_ref", "passkey", "authorization", "wallet_agreement", "payment",
    "sale", "desk_payment", "desk_dispute", "desk_person", "desk_client", "desk_notice", "paper_role",
    "export_kind", "export_form",
)  # fmt: skip


@dataclass(frozen=True)
class Thing:
    """What stands in the address, and whose it is."""

    key: str
    owners: tuple[PersonView, ...] = ()


class Things(dict[str, Thing]):
    """By name; `people` is everybody there is."""

    def __init__(self, people: Iterable[PersonView]) -> None:
        super().__init__()
        self.people = tuple(people)


def make_things(world: World) -> Things:
    """All of them, in the test's database."""
    shop, other = world.shop, world.other_shop
    staff = (shop.owner, shop.manager, shop.accountant, shop.cashier, shop.other_cashier)
    others = (other.owner, other.manager, other.accountant, other.cashier, other.other_cashier)
    travellers = (world.traveller.person, world.other_traveller.person)
    things = Things((*staff, *others, *travellers, world.officer, world.operator))
    user = get_user_model().objects.get(pk=shop.owner.id)
    passkey = Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data={"name": "key"})
    things["passkey"] = Thing(str(passkey.pk), (shop.owner,))
    traveller = (world.traveller.person,)
    things["authorization"] = Thing(str(asked(world).id), traveller)
    things["wallet_agreement"] = Thing(str(agreed(world)), traveller)
    # Whoever holds one of these codes may see what is behind it.
    things["order_digits"] = Thing("281688040000000000000000")
    things["consent_code"] = Thing("0" * 24)
    things["entry_ref"] = Thing("A" * 20)
    things["payment"] = Thing(str(paid(world).payment_id), staff)
    things["sale"] = Thing(str(new_id()))
    things.update(_of_the_desk(world))
    return things


def _of_the_desk(world: World) -> dict[str, Thing]:
    """What the first shop's desk shows, and who sits there."""
    shop, now = world.shop, utc_now()
    desk = (shop.owner, shop.manager, shop.accountant)
    taken = pay(world, "T-1", now=now, n=3)
    dispute = flows.OpenDispute(
        merchant_id=shop.merchant_id,
        payment_id=taken.id,
        dispute_id=new_id(),
        kind=DisputeKind.CHARGEBACK,
        amount=Money(100, "EUR"),
        reason_code="NOT_RECEIVED",
        reason="never came",
        due_at=now + timedelta(days=7),
    )
    flows.execute([dispute], now, flows.Desk(5))
    test_id = new_id()
    log.send_test(shop.merchant_id, test_id, shop.client_ref, "http://127.0.0.1:9/", now)
    return {
        "desk_payment": Thing(taken.id.hex, desk),
        "desk_dispute": Thing(dispute.dispute_id.hex, desk),
        "desk_person": Thing(shop.cashier.id.hex, (shop.owner,)),
        "desk_client": Thing(shop.client_ref, (shop.owner,)),
        "desk_notice": Thing(test_id.hex, desk),
        "paper_role": Thing("evidence", desk),
        "export_kind": Thing("payments", desk),
        "export_form": Thing("csv", desk),
    }
