"""The statement of a wallet: every movement of its money, newest first, a page at a time.

Pages continue after the last line that was read (keyset), so what arrives meanwhile shifts nothing, and
the thousandth page costs what the first does. Each of the three tables hands over at most one page of its
own, in the order of an index.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db import connection

from comptoir.kernel.clock import CHINA
from comptoir.kernel.currencies import EXPONENTS
from comptoir.kernel.errors import InvalidValue
from comptoir.kernel.money import Money
from comptoir.kernel.statements import Row
from comptoir.wallet.types import Movement, MovementCursor, MovementFilter, MovementKind, MovementPage

LARGEST_PAGE: Final = 200

# A payment and its reversal may share instant and id; the credit is the later of the two. The conditions of
# a search are left out where nothing is searched for: then each branch is one walk along its index.
_LINES = """
(SELECT a.decided_at AS at, a.id AS id, 0 AS place, 'payment' AS kind, a.currency, -a.total, a.payee,
    a.payment_id, a.charge_currency, a.charge, trim_scale(a.price), a.refunded, '', a.id AS authorization_id
FROM wallet_authorization a
WHERE a.wallet_id = %(wallet)s AND a.state = 'authorised'
    AND (%(at)s::timestamptz IS NULL OR (a.decided_at, a.id, 0) < (%(at)s, %(id)s, %(place)s)){paid}
ORDER BY a.decided_at DESC, a.id DESC LIMIT %(limit)s)
UNION ALL
(SELECT t.created_at, t.id, 0, 'payment', t.currency, -t.amount, p.payee, p.payment_id, t.charge_currency,
    t.charge, trim_scale(p.price), NULL, '', p.id
FROM wallet_capture t
JOIN wallet_authorization p ON p.wallet_id = t.wallet_id AND p.id = t.authorization_id
WHERE t.wallet_id = %(wallet)s
    AND (%(at)s::timestamptz IS NULL OR (t.created_at, t.id, 0) < (%(at)s, %(id)s, %(place)s)){captured}
ORDER BY t.created_at DESC, t.id DESC LIMIT %(limit)s)
UNION ALL
(SELECT c.created_at, c.id, 1, c.kind, c.currency, c.amount, coalesce(p.payee, ''), p.payment_id,
    c.charge_currency, c.charge, NULL, NULL, CASE c.kind WHEN 'top_up' THEN c.note ELSE '' END, p.id
FROM wallet_credit c
LEFT JOIN wallet_authorization p ON p.wallet_id = c.wallet_id AND p.id = c.authorization_id
WHERE c.wallet_id = %(wallet)s
    AND (%(at)s::timestamptz IS NULL OR (c.created_at, c.id, 1) < (%(at)s, %(id)s, %(place)s)){credited}
ORDER BY c.created_at DESC, c.id DESC LIMIT %(limit)s)
ORDER BY at DESC, id DESC, place DESC LIMIT %(limit)s
"""

_FITS = """
    AND (%(payee)s::text = '' OR position(lower(%(payee)s) IN lower({name})) > 0)
    AND {at} >= coalesce(%(first)s::timestamptz, '-infinity')
    AND {at} < coalesce(%(end)s::timestamptz, 'infinity')
    AND (NOT %(amounts)s::boolean
        OR EXISTS (SELECT FROM unnest(%(currencies)s::text[], %(minors)s::bigint[]) AS m (currency, minor)
            WHERE {money}))"""

_MOVED = "(m.currency, m.minor) = ({0}.currency, {0}.{1})"
_CHARGED = "(m.currency, m.minor) = ({0}.charge_currency, {0}.charge)"

_PAGE = _LINES.format(paid="", captured="", credited="")
_FOUND = _LINES.format(
    paid=_FITS.format(
        name="a.payee",
        at="a.decided_at",
        money=f"{_MOVED.format('a', 'total')} OR {_CHARGED.format('a')}",
    ),
    captured=_FITS.format(
        name="p.payee",
        at="t.created_at",
        money=f"{_MOVED.format('t', 'amount')} OR {_CHARGED.format('t')}",
    ),
    credited=_FITS.format(
        name="coalesce(p.payee, c.note)",
        at="c.created_at",
        money=f"{_MOVED.format('c', 'amount')} OR {_CHARGED.format('c')}",
    ),
)


def movements(
    wallet_id: UUID,
    older_than: MovementCursor | None = None,
    limit: int = 50,
    wanted: MovementFilter | None = None,
) -> MovementPage:
    """At most `limit` (1 to 200) movements, newest first; `older_than` is the `older` of the page before.

    `wanted` finds some of them; it walks the wallet's own lines, however far back the next one is.

    Payments that were authorised or captured, refunds, reversals and top-ups; what was declined, refused,
    cancelled before it was paid, is held or still waits, moved nothing and is not here. Raises InvalidValue.
    """
    if not 1 <= limit <= LARGEST_PAGE:
        raise InvalidValue(f"a page has 1 to {LARGEST_PAGE} lines", field="limit")
    params = {"wallet": wallet_id, "limit": limit + 1, **_position(older_than)}
    with connection.cursor() as cursor:
        if wanted is None:
            cursor.execute(_PAGE, params)
        else:
            cursor.execute(_FOUND, params | _search(wanted))
        rows = cursor.fetchall()
    lines = tuple(_movement(row) for row in rows[:limit])
    more = len(rows) > limit
    older = MovementCursor(lines[-1].at, lines[-1].id, lines[-1].kind) if more else None
    return MovementPage(lines, older)


def _position(cursor: MovementCursor | None) -> dict[str, Any]:
    if cursor is None:
        return {"at": None, "id": None, "place": 0}
    return {"at": cursor.at, "id": cursor.id, "place": 0 if cursor.kind is MovementKind.PAYMENT else 1}


def _search(wanted: MovementFilter) -> dict[str, Any]:
    fitting = [] if wanted.amount is None else _in_every_currency(wanted.amount)
    return {
        "payee": wanted.payee,
        "first": _midnight(wanted.first) if wanted.first else None,
        "end": _midnight(wanted.last + timedelta(days=1)) if wanted.last else None,
        "amounts": wanted.amount is not None,
        "currencies": [one.currency for one in fitting],
        "minors": [one.minor for one in fitting],
    }


def _in_every_currency(amount: Decimal) -> list[Money]:
    """The amount as money of each currency that can express it."""
    found = []
    for currency in EXPONENTS:
        with suppress(InvalidValue):
            found.append(Money.of(amount, currency))
    return found


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, CHINA)


def _movement(row: Row) -> Movement:
    (
        at,
        line_id,
        _,
        kind,
        currency,
        amount,
        payee,
        payment_id,
        charge_currency,
        charge,
        price,
        refunded,
        note,
        authorization_id,
    ) = row
    return Movement(
        id=line_id,
        kind=MovementKind(kind),
        at=at,
        amount=Money(amount, currency),
        payee=payee,
        payment_id=payment_id,
        charge=None if charge is None else Money(charge, charge_currency),
        price=price,
        refunded=None if refunded is None else Money(refunded, currency),
        note=note,
        authorization_id=authorization_id,
    )
