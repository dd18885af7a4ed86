"""Which machines may speak for which merchants."""

from __future__ import annotations

import pytest

from comptoir.acquiring import api as acquiring
from comptoir.flows import clients
from comptoir.flows.notifications.addresses import AddressUnusable
from comptoir.identity import api as identity
from comptoir.kernel.ids import OPERATOR, new_id
from tests.conftest import Database
from tests.flows.support import NOW, make_merchant


def test_client_ids_are_new_and_say_what_they_are() -> None:
    made = {clients.new_client_ref(sandbox=False) for _ in range(100)}
    assert len(made) == 100
    assert all(one.startswith("5Y") and one[2:].isdigit() and len(one) == 16 for one in made)
    assert identity.is_sandbox(clients.new_client_ref(sandbox=True))


def test_a_test_client_is_for_a_test_merchant(database: Database) -> None:
    real, test = make_merchant(), new_id()
    acquiring.register_merchant(
        test, office_id=OPERATOR, ref="T1", name="T", mcc="5441", country="BE", now=NOW, sandbox=True
    )
    with pytest.raises(clients.ClientUnfit):
        clients.open_client("SANDBOX_5Y1", real, None, now=NOW)
    with pytest.raises(clients.ClientUnfit):
        clients.open_client("5Y1", test, None, now=NOW)
    with pytest.raises(acquiring.MerchantUnknown):
        clients.open_client("5Y1", new_id(), None, now=NOW)
    with pytest.raises(AddressUnusable):
        clients.open_client("5Y1", real, None, now=NOW, notify_url="mailto:shop")
    assert identity.clients() == ()
    clients.open_client("5Y1", real, None, now=NOW, notify_url="https://shop.example/n")
    clients.open_client("SANDBOX_5Y1", test, None, now=NOW)
    with pytest.raises(AddressUnusable):
        clients.set_notify_url("5Y1", "ftp://shop.example")
    assert [one.notify_url for one in identity.clients(real)] == ["https://shop.example/n"]
    assert clients.set_notify_url("5Y1", "").notify_url is None
