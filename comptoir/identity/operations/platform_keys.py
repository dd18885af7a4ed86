"""Our own key pairs: made, and one of them chosen to sign."""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction
from django.db.models import Max

from comptoir.db.sealed import seal
from comptoir.identity import queries
from comptoir.identity.errors import KeyUnknown, PlatformKeyMissing
from comptoir.identity.models import PlatformKey
from comptoir.identity.queries import PLATFORM_KEY_PURPOSE
from comptoir.identity.types import PlatformKeySummary, PlatformKeyView
from comptoir.standards.antom import signing

#: Advisory lock of whoever makes a platform key or chooses one ("ident" in ASCII, as a number).
_PLATFORM_KEY_LOCK = 0x6964656E74


@transaction.atomic
def ensure_platform_key(*, now: datetime) -> PlatformKeyView:
    """Our active key pair; made, and its private half sealed, when there is none.

    Safe to call from several processes at once: they all get the same key.
    """
    _lock_platform_keys()
    try:
        return queries.platform_key()
    except PlatformKeyMissing:
        pass
    _make_platform_key(now, active=True)
    return queries.platform_key()


@transaction.atomic
def add_platform_key(*, now: datetime) -> PlatformKeySummary:
    """One more key pair of ours, which signs nothing until `use_platform_key`: merchants learn it first."""
    _lock_platform_keys()
    version = _make_platform_key(now, active=False)
    return next(one for one in queries.platform_keys() if one.version == version)


@transaction.atomic
def use_platform_key(version: int) -> None:
    """Sign with this key from now on; gateways and workers take it up within a minute.

    The others stay: going back is the same command. Raises KeyUnknown.
    """
    _lock_platform_keys()
    if not PlatformKey.objects.filter(version=version).exists():
        raise KeyUnknown(f"there is no platform key {version}", field="version")
    PlatformKey.objects.filter(active=True).exclude(version=version).update(active=False)
    PlatformKey.objects.filter(version=version).update(active=True)


def _lock_platform_keys() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_PLATFORM_KEY_LOCK])


def _make_platform_key(now: datetime, *, active: bool) -> int:
    key = signing.generate_key()
    version = int(PlatformKey.objects.aggregate(last=Max("version"))["last"] or 0) + 1
    PlatformKey.objects.create(
        version=version,
        sealed_private_key=seal(signing.private_der(key), PLATFORM_KEY_PURPOSE, str(version)),
        public_key=signing.public_der(key.public_key()),
        active=active,
        created_at=now,
    )
    return version
