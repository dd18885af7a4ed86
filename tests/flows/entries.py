"""A code on a wall, for tests: the scene's merchant gets a store, a client and the code."""

from __future__ import annotations

from comptoir.acquiring import api as acquiring
from comptoir.identity import api as identity
from comptoir.kernel.ids import new_id
from comptoir.standards import entry_code
from comptoir.standards.antom import signing
from tests.flows.support import CLIENT, NOW, Scene

NOTIFY = "https://shop.example/notify"


def hang_up(scene: Scene, currency: str = "EUR", client_ref: str = CLIENT) -> str:
    """The reference of a fresh code in a fresh store."""
    store_id = new_id()
    acquiring.add_store(
        scene.merchant_id,
        store_id,
        ref="S1",
        name="Sablon, Grand-Place",
        mcc="5441",
        city="Brussels",
        country="BE",
        now=NOW,
    )
    key = signing.export_public_key(signing.generate_key().public_key())
    identity.register_client(client_ref, scene.merchant_id, key, now=NOW, notify_url=NOTIFY)
    return acquiring.issue_entry_code(
        scene.merchant_id, store_id, entry_code.new_ref(), currency=currency, client_ref=client_ref, now=NOW
    )
