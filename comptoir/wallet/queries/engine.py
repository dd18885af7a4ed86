"""What the payment engine loads of wallets, a whole batch at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from comptoir.db.sealed import unseal
from comptoir.kernel.money import Money
from comptoir.kernel.statements import Row, Rows, Statement
from comptoir.standards.payment_code import window_of
from comptoir.wallet.types import (
    AgreementState,
    AgreementView,
    AuthorizationState,
    AuthorizationView,
    DeviceView,
    WalletState,
    WalletView,
)

#: What seeds are sealed for: a sealed seed cannot pass for any other secret.
SEED_PURPOSE = "wallet.device-seed"

_WALLET = (
    "w.id, w.holder_id, w.display_name, w.currency, w.state, w.no_pin_limit, w.payment_limit, w.day_limit,"
    " coalesce(s.spent, 0)"
)

_DEVICES = f"""
SELECT d.number, d.sealed_seed, d.active, d.bad_codes, d.locked_until,
    ARRAY(SELECT c."window" * 10 + c.n FROM wallet_spent_code c
        WHERE c.wallet_id = d.wallet_id AND c.device_number = d.number AND c."window" >= %s), {_WALLET}
FROM wallet_device d
JOIN wallet_wallet w ON w.id = d.wallet_id
LEFT JOIN wallet_day_spending s ON s.wallet_id = w.id AND s."on" = %s
WHERE d.number = ANY (%s)
"""  # noqa: S608, constants only

_WALLETS = f"""
SELECT {_WALLET} FROM wallet_wallet w
LEFT JOIN wallet_day_spending s ON s.wallet_id = w.id AND s."on" = %s
WHERE w.id = ANY (%s)
"""  # noqa: S608, constants only

_AUTHORIZATION = """
SELECT a.id, a.wallet_id, a.merchant_id, a.payment_id, a.payee, a.currency, a.total, a.margin,
    a.charge_currency, a.charge, trim_scale(a.price), a.quote_id, a.state, a.created_at, a.expires_at,
    a.spent_on, a.decided_at, a.refunded, a.captured, a.approved, a.agreement_id,
    a.device, a.acted_on
FROM wallet_authorization a
"""

_BY_KEY = "JOIN unnest(%s::uuid[], %s::uuid[]) AS wanted (wallet_id, id) USING (wallet_id, id)"

_ASKED = "WHERE a.created_at >= %s AND a.created_at < %s ORDER BY a.created_at, a.id"
_CHUNK = 5_000

_WAITING = "WHERE a.wallet_id = %s AND a.state = 'waiting' AND a.expires_at > %s ORDER BY a.expires_at, a.id"

# Each of the three states has an index of its own; what waits or is held in one wallet is little.
_BY_DEVICE = """
WHERE a.state = 'waiting' AND a.wallet_id = %s AND a.device = %s AND a.created_at >= %s UNION ALL {0}
WHERE a.state = 'held' AND a.wallet_id = %s AND a.device = %s AND a.created_at >= %s UNION ALL {0}
WHERE a.state = 'authorised' AND a.wallet_id = %s AND a.device = %s AND a.created_at >= %s
    AND a.decided_at >= %s
"""

_HELD = "WHERE a.wallet_id = %s AND a.state = 'held' ORDER BY a.decided_at, a.id"


_AGREEMENT = """
SELECT a.id, a.wallet_id, a.merchant_id, a.payee, a.payment_limit, a.day_limit, a.state, a.created_at,
    a.ended_at, coalesce((SELECT sum(d.total - d.refunded)::bigint FROM wallet_authorization d
        WHERE d.wallet_id = a.wallet_id AND d.agreement_id = a.id AND d.spent_on = %s
            AND d.state = 'authorised'), 0)
FROM wallet_agreement a
"""


def devices(numbers: Sequence[int], now: datetime, day: date) -> Statement:
    """Load the devices with these numbers, their wallets, and what the wallets spent on `day`."""
    return Statement(_DEVICES, (window_of(now) - 2, day, list(numbers)))


def decode_devices(rows: Rows) -> dict[int, DeviceView]:
    """Devices by number."""
    return {row[0]: _device(row) for row in rows}


def wallets(ids: Sequence[UUID], day: date) -> Statement:
    """Load wallets by id, with what they spent on `day`."""
    return Statement(_WALLETS, (day, list(ids)))


def decode_wallets(rows: Rows) -> dict[UUID, WalletView]:
    """Wallets by id."""
    return {row[0]: _wallet(row) for row in rows}


def authorizations(keys: Sequence[tuple[UUID, UUID]]) -> Statement:
    """Load authorizations by (wallet id, authorization id)."""
    return Statement(_AUTHORIZATION + _BY_KEY, ([key[0] for key in keys], [key[1] for key in keys]))


def waiting_authorizations(wallet_id: UUID, now: datetime) -> Statement:
    """Load what a wallet is asked to confirm and still may, the one that ends first in front."""
    return Statement(_AUTHORIZATION + _WAITING, (wallet_id, now))


def newest_by_device(wallet_id: UUID, device: int, since: datetime) -> Statement:
    """Load what codes of a device asked for since then: what waits, what is held and what was paid."""
    return Statement(
        _AUTHORIZATION + _BY_DEVICE.format(_AUTHORIZATION), (*(wallet_id, device, since) * 3, since)
    )


def held_authorizations(wallet_id: UUID) -> Statement:
    """Load what a wallet holds for captures, the oldest in front."""
    return Statement(_AUTHORIZATION + _HELD, (wallet_id,))


def agreements(keys: Sequence[tuple[UUID, UUID]], day: date) -> Statement:
    """Load agreements by (wallet id, agreement id), with what they debited on `day`."""
    return Statement(_AGREEMENT + _BY_KEY, (day, [key[0] for key in keys], [key[1] for key in keys]))


def agreements_of_wallet(wallet_id: UUID, day: date) -> Statement:
    """Load a wallet's agreements, the newest first, those that have ended too."""
    return Statement(_AGREEMENT + "WHERE a.wallet_id = %s ORDER BY a.created_at DESC, a.id", (day, wallet_id))


def decode_agreements(rows: Rows) -> dict[UUID, AgreementView]:
    """Agreements by their id."""
    return {row[0]: _agreement(row) for row in rows}


def asked_between(start: datetime, end: datetime) -> Iterator[list[AuthorizationView]]:
    """What all wallets were asked from `start` until before `end`, in the order of asking, in chunks."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(_AUTHORIZATION + _ASKED, (start, end))
        while rows := cursor.fetchmany(_CHUNK):
            yield [_authorization(row) for row in rows]


def decode_authorizations(rows: Rows) -> dict[UUID, AuthorizationView]:
    """Authorizations by their id."""
    return {row[0]: _authorization(row) for row in rows}


def _device(row: Row) -> DeviceView:
    number, sealed, active, bad_codes, locked_until, used, *wallet = row
    return DeviceView(
        number=number,
        wallet=_wallet(wallet),
        seed=unseal(bytes(sealed), SEED_PURPOSE, str(number)),
        active=active,
        bad_codes=bad_codes,
        locked_until=locked_until,
        used=frozenset(used),
    )


def _wallet(row: Sequence[Any]) -> WalletView:
    wallet_id, holder_id, name, currency, state, no_pin, payment_limit, day_limit, spent = row
    return WalletView(
        id=wallet_id,
        holder_id=holder_id,
        display_name=name,
        currency=currency,
        state=WalletState(state),
        no_pin_limit=no_pin,
        payment_limit=payment_limit,
        day_limit=day_limit,
        spent=spent,
    )


def _agreement(row: Row) -> AgreementView:
    return AgreementView(
        id=row[0],
        wallet_id=row[1],
        merchant_id=row[2],
        payee=row[3],
        payment_limit=row[4],
        day_limit=row[5],
        state=AgreementState(row[6]),
        created_at=row[7],
        ended_at=row[8],
        spent=row[9],
    )


def _authorization(row: Row) -> AuthorizationView:
    return AuthorizationView(
        id=row[0],
        wallet_id=row[1],
        merchant_id=row[2],
        payment_id=row[3],
        payee=row[4],
        total=Money(row[6], row[5]),
        margin=row[7],
        charge=Money(row[9], row[8]),
        price=row[10],
        quote_id=row[11],
        state=AuthorizationState(row[12]),
        created_at=row[13],
        expires_at=row[14],
        spent_on=row[15],
        decided_at=row[16],
        refunded=row[17],
        captured=row[18],
        approved=row[19],
        agreement_id=row[20],
        device=row[21],
        acted_on=row[22],
    )
