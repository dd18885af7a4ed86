"""Clients and keys: who may speak, with which keys, and what is refused without a trace."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import IntegrityError, connections, transaction

from comptoir.db.sealed import CannotUnseal, seal
from comptoir.identity import api
from comptoir.identity.models import ApiClient, ApiClientKey, PlatformKey
from comptoir.kernel.ids import new_id
from comptoir.standards.antom import signing

pytestmark = pytest.mark.usefixtures("database")

NOW = datetime(2026, 11, 23, 9, 20, 36, tzinfo=UTC)
MERCHANT = UUID(int=7)


@pytest.fixture(scope="module")
def keys() -> list[str]:
    """Three public keys, as merchants send them."""
    return [signing.export_public_key(signing.generate_key().public_key()) for _ in range(3)]


def versions(client_ref: str) -> list[int]:
    view = api.client(client_ref)
    assert view is not None
    return [key.version for key in view.keys]


def test_a_client_starts_with_one_key_and_may_have_several(keys: list[str]) -> None:
    made = api.register_client("5Y0001", MERCHANT, keys[0], now=NOW, notify_url="https://shop.example/n")
    assert made == api.client("5Y0001")
    assert made.merchant_id == MERCHANT
    assert made.notify_url == "https://shop.example/n"
    assert made.status is api.ClientStatus.ACTIVE
    assert not made.sandbox
    assert made.keys[0].public_key == signing.public_der(signing.load_public_key(keys[0]))
    assert api.add_key("5Y0001", keys[1], now=NOW) == 2
    assert versions("5Y0001") == [2, 1]


def test_the_prefix_makes_a_test_client(keys: list[str]) -> None:
    assert api.register_client("SANDBOX_5Y0001", MERCHANT, keys[0], now=NOW).sandbox
    assert api.client("5Y0001") is None


def test_a_revoked_key_is_gone_and_its_version_is_never_used_again(keys: list[str]) -> None:
    api.register_client("C", MERCHANT, keys[0], now=NOW)
    api.add_key("C", keys[1], now=NOW)
    api.revoke_key("C", 2, now=NOW)
    api.revoke_key("C", 2, now=NOW.replace(year=2027))
    assert versions("C") == [1]
    assert ApiClientKey.objects.get(version=2).revoked_at == NOW
    assert api.add_key("C", keys[2], now=NOW) == 3
    with pytest.raises(api.KeyRefused):
        api.add_key("C", keys[1], now=NOW)
    api.revoke_key("C", 1, now=NOW)
    api.revoke_key("C", 3, now=NOW)
    assert versions("C") == []


def test_what_is_refused_leaves_nothing_behind(keys: list[str]) -> None:
    platform = api.ensure_platform_key(now=NOW)
    ours = signing.export_public_key(signing.public_key_from_der(platform.public_key))
    for client_ref, key, error in [
        ("", keys[0], api.ClientRefInvalid),
        ("x" * 65, keys[0], api.ClientRefInvalid),
        ("a b", keys[0], api.ClientRefInvalid),
        ("a\r\nb", keys[0], api.ClientRefInvalid),
        ("é", keys[0], api.ClientRefInvalid),
        ("C", "not a key", signing.BadKey),
        ("C", ours, api.KeyRefused),
    ]:
        with pytest.raises(error):
            api.register_client(client_ref, MERCHANT, key, now=NOW)
    assert not ApiClient.objects.exists()
    api.register_client("C", MERCHANT, keys[0], now=NOW)
    with pytest.raises(api.ClientRefTaken):
        api.register_client("C", UUID(int=8), keys[1], now=NOW)
    with pytest.raises(api.KeyRefused):
        api.add_key("C", keys[0], now=NOW)
    with pytest.raises(api.ClientUnknown):
        api.add_key("D", keys[1], now=NOW)
    with pytest.raises(api.KeyUnknown):
        api.revoke_key("C", 9, now=NOW)
    view = api.client("C")
    assert view is not None
    assert view.merchant_id == MERCHANT
    assert versions("C") == [1]


def test_suspended_and_back(keys: list[str]) -> None:
    api.register_client("C", MERCHANT, keys[0], now=NOW)
    assert api.set_client_status("C", api.ClientStatus.SUSPENDED).status is api.ClientStatus.SUSPENDED
    assert api.set_client_status("C", api.ClientStatus.ACTIVE).status is api.ClientStatus.ACTIVE
    with pytest.raises(api.ClientUnknown):
        api.set_client_status("D", api.ClientStatus.SUSPENDED)


def test_keys_added_at_the_same_time_get_different_versions(keys: list[str]) -> None:
    api.register_client("C", MERCHANT, keys[0], now=NOW)

    def add(key: str) -> int:
        try:
            return api.add_key("C", key, now=NOW)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(add, keys[1:])) == [2, 3]


def test_there_is_one_platform_key_however_many_ask_at_once() -> None:
    def ensure(_: int) -> bytes:
        try:
            return api.ensure_platform_key(now=NOW).private_key
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(ensure, range(4)))) == 1
    assert PlatformKey.objects.count() == 1
    view = api.platform_key()
    private = signing.private_key_from_der(view.private_key)
    assert signing.public_der(private.public_key()) == view.public_key
    assert view.private_key not in bytes(PlatformKey.objects.get().sealed_private_key)
    assert repr(view.private_key) not in repr(view)


def test_no_platform_key_is_said_and_a_foreign_one_does_not_open() -> None:
    with pytest.raises(api.PlatformKeyMissing):
        api.platform_key()
    api.ensure_platform_key(now=NOW)
    PlatformKey.objects.update(sealed_private_key=seal(b"x", "device seed", "1"))
    with pytest.raises(CannotUnseal):
        api.platform_key()


def test_the_database_refuses_what_the_code_would_never_write() -> None:
    def client(client_ref: str, sandbox: bool, status: str) -> ApiClient:
        return ApiClient(
            id=new_id(),
            client_ref=client_ref,
            merchant_id=MERCHANT,
            sandbox=sandbox,
            status=status,
            created_at=NOW,
        )

    for row in [
        client("SANDBOX_X", False, "active"),
        client("X", True, "active"),
        client("X", False, "asleep"),
        PlatformKey(version=0, sealed_private_key=b"", public_key=b"", active=True, created_at=NOW),
    ]:
        with pytest.raises(IntegrityError), transaction.atomic():
            row.save(force_insert=True)
    PlatformKey.objects.create(version=1, sealed_private_key=b"", public_key=b"", active=True, created_at=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        PlatformKey.objects.create(
            version=2, sealed_private_key=b"", public_key=b"", active=True, created_at=NOW
        )


def test_a_private_key_is_not_taken_for_a_public_one() -> None:
    key = signing.generate_key()
    for text in (signing.export_private_key(key), "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END"):
        with pytest.raises(api.KeyRefused) as refused:
            api.register_client(f"5Y{new_id().hex[:8]}", new_id(), text, now=NOW)
        assert "openssl pkey" in refused.value.message
        assert text not in refused.value.message


def test_an_api_key_of_one_id_is_made_once() -> None:
    client_ref, key_id = f"5Y{new_id().hex[:8]}", new_id()
    api.register_client(client_ref, new_id(), None, now=NOW)
    assert api.create_api_key(client_ref, None, now=NOW, key_id=key_id)
    with pytest.raises(api.ApiKeyExists):
        api.create_api_key(client_ref, None, now=NOW, key_id=key_id)
    assert [one.id for one in api.api_keys(client_ref)] == [key_id]


def test_a_notify_url_is_kept_and_taken_away() -> None:
    client_ref = f"5Y{new_id().hex[:8]}"
    api.register_client(client_ref, new_id(), None, now=NOW)
    assert api.set_notify_url(client_ref, "https://shop.example/n").notify_url == "https://shop.example/n"
    assert api.set_notify_url(client_ref, None).notify_url is None
    with pytest.raises(api.ClientUnknown):
        api.set_notify_url("5Y-nobody", None)
