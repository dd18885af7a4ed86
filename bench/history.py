"""A long past: the payments that were made, once more for each of many days before, as the books have them.

Set-based SQL, a few thousand payments a statement. The postings go through `ledger_post` like any other, so
floors, sums and the hash chain are true, and `comptoir verify` holds over all of it. What a payment leaves
behind for good is copied: payment, authorization, transfers, the day's spending. What is forgotten in time
(used codes, notifications that were sent) is not.
"""

from __future__ import annotations

from typing import Any

#: Payments a posting.
_CHUNK = 4_000

# An id a number of days before: its instant moved, what is behind it kept. So ids stay in the order of time,
# and the legs of a payment stay named after it.
_BEFORE = """
CREATE OR REPLACE FUNCTION pg_temp.before(id uuid, days int) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex(('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint
        - days * 86400000::bigint), 12, '0') || substr(replace(id::text, '-', ''), 13))::uuid
$$
"""

_MODEL = """
CREATE TEMP TABLE model AS
SELECT merchant_id, id, wallet_id, authorization_id, (row_number() OVER (ORDER BY id) - 1) / %s AS chunk
FROM acquiring_payment WHERE state = 'SUCCESS'
"""

_POST = """
SELECT count(*) FROM ledger_post((
    SELECT json_agg(json_build_object('p', place - 1, 'g', grp - 1, 'id', pg_temp.before(id, days),
        'o', owner_id, 'd', debit_id, 'c', credit_id, 'a', amount, 'y', currency, 'k', kind, 'h', phase,
        's', pg_temp.before(subject_id, days)) ORDER BY place)
    FROM (
        SELECT t.*, %(days)s::int AS days, row_number() OVER (ORDER BY t.subject_id, t.id) AS place,
            dense_rank() OVER (ORDER BY t.subject_id) AS grp
        FROM model m JOIN ledger_transfer t ON t.subject_id = m.id AND t.owner_id = m.merchant_id
        WHERE m.chunk = %(chunk)s
    ) AS legs
))
"""

_SPENDING = """
INSERT INTO wallet_day_spending (wallet_id, "on", spent)
SELECT a.wallet_id, a.spent_on - %(days)s::int, sum(a.total)
FROM model m JOIN wallet_authorization a ON a.wallet_id = m.wallet_id AND a.id = m.authorization_id
WHERE m.chunk = %(chunk)s
GROUP BY 1, 2
ON CONFLICT (wallet_id, "on") DO UPDATE SET spent = wallet_day_spending.spent + excluded.spent
"""

#: Tables whose rows are copied, and how a row is found from the model.
_COPIED = {
    "acquiring_payment": "r.merchant_id = m.merchant_id AND r.id = m.id",
    "wallet_authorization": "r.wallet_id = m.wallet_id AND r.id = m.authorization_id",
}
_MOVED_IDS = {"id", "payment_id", "authorization_id"}


def grow(cursor: Any, payments: int) -> int:
    """Make the past at least `payments` long from the payments there are; how many were made.

    Each day before today has as many as were made today. The farthest day comes first, as it would have.
    """
    cursor.execute(_BEFORE)
    cursor.execute("DROP TABLE IF EXISTS model")
    cursor.execute(_MODEL, (_CHUNK,))
    cursor.execute("ANALYZE model, acquiring_payment, wallet_authorization, ledger_transfer")
    cursor.execute("SELECT count(*), max(chunk) FROM model")
    made_today, last_chunk = cursor.fetchone()
    copies = [_copy(cursor, table, found) for table, found in _COPIED.items()]
    days = -(-payments // made_today)
    for day in range(days, 0, -1):
        for chunk in range(last_chunk + 1):
            parameters = {"days": day, "chunk": chunk}
            cursor.execute(_POST, parameters)
            assert cursor.fetchone() == (0,), "the books refused a copy"
            for statement in (*copies, _SPENDING):
                cursor.execute(statement, parameters)
    return int(days * made_today)


def _copy(cursor: Any, table: str, found: str) -> str:
    """The statement that copies a chunk of a table's rows to a day before, whatever columns it has."""
    cursor.execute(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s"
        " ORDER BY ordinal_position",
        (table,),
    )
    columns = cursor.fetchall()
    names = ", ".join(f'"{name}"' for name, _ in columns)
    values = ", ".join(_value(name, kind) for name, kind in columns)
    rows = f"SELECT {values} FROM model m JOIN {table} r ON {found} WHERE m.chunk = %(chunk)s"
    return f"INSERT INTO {table} ({names}) {rows}"


def _value(name: str, kind: str) -> str:
    if name in _MOVED_IDS:
        return f"pg_temp.before(r.{name}, %(days)s::int)"
    if name == "request_ref":
        return "r.request_ref || '.' || %(days)s::int"
    if kind == "timestamp with time zone":
        return f"r.\"{name}\" - %(days)s::int * interval '24 hours'"
    if kind == "date":
        return f'r."{name}" - %(days)s::int'
    return f'r."{name}"'
