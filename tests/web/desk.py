"""The merchant's desk for tests: a world after a morning's work, its people's browsers, its pages' texts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.test import Client
from django.urls import reverse

from comptoir.acquiring.api import PaymentView
from comptoir.identity.api import Role
from comptoir.kernel.clock import utc_now
from tests.web.pages import client_of
from tests.web.sales import pay
from tests.web.world import World, make_world


@dataclass
class Desk:
    """The world after a morning's work, and its people's browsers."""

    world: World
    now: datetime
    paid: list[PaymentView]

    def browser(self, role: Role = Role.OWNER) -> Client:
        return client_of(self.world.person(role), recent=True)


def make_desk() -> Desk:
    """Four payments, the newest first, and one that was refused."""
    world, now = make_world(), utc_now()
    paid = [
        pay(
            world,
            f"R-{n}",
            1000 + n * 700,
            now=now - timedelta(minutes=10 * n),
            details={"orderId": f"O-{n}"},
        )
        for n in range(4)
    ]
    pay(world, "refused", code="281234567890123456", now=now)
    return Desk(world, now, paid)


def page(browser: Client, name: str, *parts: str, **query: str) -> str:
    answer = browser.get(reverse(name, args=parts) + (f"?{urlencode(query)}" if query else ""))
    assert answer.status_code == 200, (name, answer.status_code)
    return answer.content.decode()
