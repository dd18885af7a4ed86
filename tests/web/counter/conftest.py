"""Who stands at a till in the counter's tests."""

from __future__ import annotations

import pytest
from django.test import Client

from comptoir.identity import api as identity
from tests.web.counter.till import MANAGER_PIN, client_at_till
from tests.web.world import World


@pytest.fixture
def cashier(world: World) -> Client:
    """A cashier at the first till; its shop's manager has `MANAGER_PIN`."""
    identity.set_pin(world.shop.manager.id, MANAGER_PIN)
    return client_at_till(world.shop.cashier, world.shop)
