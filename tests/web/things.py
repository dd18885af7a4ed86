"""One of each thing that stands in an address, of the first shop or the first traveller, and who may see it.

A room adds its things to `THINGS` and `make_things`: key (as it stands in the address), and the people who
may open it. Everybody else of the same roles, in the same shop or elsewhere, is a stranger.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from django.contrib.auth import get_user_model

from comptoir.identity.api import PersonView
from comptoir.kernel.ids import new_id
from tests.web.wallet.support import agreed, asked, paid
from tests.web.world import World

THINGS = (
    "order_digits", "consent_code", "entry_ref", "passkey", "authorization", "wallet_agreement", "payment",
    "sale",
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
    return things
