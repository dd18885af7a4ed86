"""A long past: the payments that were made, once more for each of many days before, as the books have them.

Set-based SQL, many days a statement. A day is one batch of the books: its transfers, the sums after it and
its link of the chain are written as `ledger_post` would have written them, so `comptoir verify` holds over
all of it, and finds whatever is wrong here. What a payment leaves behind for good is copied: payment,
authorization, transfers, the day's spending. What is forgotten in time (used codes, notifications that were
sent) is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

#: Payments a statement.
_CHUNK = 100_000

#: Tables that grow. Their indexes are made anew when all is in: sorted at once, not leaf by leaf.
_GROWN = (
    "acquiring_payment",
    "wallet_authorization",
    "wallet_day_spending",
    "ledger_transfer",
    "ledger_balance",
)

_SETTINGS = (
    "SET synchronous_commit = off",  # a past that a crash takes is made again
    "SET maintenance_work_mem = '1GB'",
    "SET comptoir.posting = 'on'",  # the walls of the books let us pass: see above
)

# An id a number of days before: its instant moved, what is behind it kept. So ids stay in the order of time,
# and the legs of a payment stay named after it.
_BEFORE = """
CREATE OR REPLACE FUNCTION pg_temp.before(id uuid, days int) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex(('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint
        - days * 86400000::bigint), 12, '0') || substr(replace(id::text, '-', ''), 13))::uuid
$$
"""

# What a day is made of: its payments, their legs in the order of posting, and what they do to each account.
_MODEL = (
    "DROP TABLE IF EXISTS model, leg, delta",
    """
    CREATE TEMP TABLE model AS
    SELECT merchant_id, id, wallet_id, authorization_id FROM acquiring_payment WHERE state = 'SUCCESS'
    """,
    """
    CREATE TEMP TABLE leg AS
    SELECT t.*, (row_number() OVER (ORDER BY t.subject_id, t.id) - 1)::int AS place
    FROM model m JOIN ledger_transfer t ON t.owner_id = m.merchant_id AND t.subject_id = m.id
    """,
    """
    CREATE TEMP TABLE delta AS
    SELECT account, sum(dp)::bigint AS dp, sum(cp)::bigint AS cp FROM (
        SELECT debit_id AS account, amount AS dp, 0 AS cp FROM leg
        UNION ALL SELECT credit_id, 0, amount FROM leg
    ) AS moved GROUP BY account
    """,
    "ANALYZE model, leg, delta",
)

# Days are written in the order of time, the farthest first: `days` of them, from `far` days before today on.
# The batch of a day is as many after the head of the books as days lie between.
_DAYS = "generate_series(%(far)s::int, %(far)s::int - %(days)s::int + 1, -1) AS day"
_BATCH = "(%(seq)s::bigint + %(far)s::int - day + 1)"

_TRANSFERS = f"""
INSERT INTO ledger_transfer (owner_id, id, debit_id, credit_id, amount, currency, kind, phase, subject_id,
    batch_seq, position)
SELECT t.owner_id, pg_temp.before(t.id, day), t.debit_id, t.credit_id, t.amount, t.currency, t.kind, t.phase,
    pg_temp.before(t.subject_id, day), {_BATCH}, t.place
FROM {_DAYS}, leg t ORDER BY day DESC, t.place
"""

_BALANCES = f"""
INSERT INTO ledger_balance (account_id, batch_seq, debits_posted, credits_posted, debits_pending,
    credits_pending)
SELECT a.id, {_BATCH}, a.debits_posted + (%(far)s::int - day + 1) * d.dp,
    a.credits_posted + (%(far)s::int - day + 1) * d.cp, a.debits_pending, a.credits_pending
FROM {_DAYS}, delta d JOIN ledger_account a ON a.id = d.account
"""

_SUMS = """
UPDATE ledger_account a SET debits_posted = a.debits_posted + %(days)s * d.dp,
    credits_posted = a.credits_posted + %(days)s * d.cp
FROM delta d WHERE a.id = d.account
"""

_CHAIN = """
CREATE OR REPLACE FUNCTION pg_temp.extend_chain(far int, days int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    head ledger_book;
    content text;
    legs int;
BEGIN
    FOR day IN REVERSE far .. far - days + 1 LOOP
        SELECT * INTO STRICT head FROM ledger_book WHERE id = 1;
        SELECT count(*), string_agg(ledger_canonical(pg_temp.before(t.id, day), t.owner_id, t.debit_id,
            t.credit_id, t.amount, t.currency, t.kind, t.phase, pg_temp.before(t.subject_id, day), NULL, NULL,
            NULL), E'\\n' ORDER BY t.place)
        INTO legs, content FROM leg t;
        INSERT INTO ledger_batch (seq, recorded_at, transfers, previous, hash)
        VALUES (head.seq + 1, head.recorded_at, legs, head.hash,
            ledger_link(head.hash, head.seq + 1, head.recorded_at, legs, content));
        UPDATE ledger_book b SET seq = l.seq, hash = l.hash
        FROM ledger_batch l WHERE b.id = 1 AND l.seq = head.seq + 1;
    END LOOP;
END;
$$
"""

_SPENDING = f"""
INSERT INTO wallet_day_spending (wallet_id, "on", spent)
SELECT a.wallet_id, a.spent_on - day, sum(a.total)
FROM {_DAYS}, model m JOIN wallet_authorization a ON a.wallet_id = m.wallet_id AND a.id = m.authorization_id
GROUP BY 1, 2
"""

#: Tables whose rows are copied whole, and how a row is found from the model.
_COPIED = {
    "acquiring_payment": "r.merchant_id = m.merchant_id AND r.id = m.id",
    "wallet_authorization": "r.wallet_id = m.wallet_id AND r.id = m.authorization_id",
}
_MOVED_IDS = {"id", "payment_id", "authorization_id"}


def grow(cursor: Any, payments: int) -> int:
    """Make the past at least `payments` long from the payments there are; how many were made.

    Each day before today has as many as were made today: payments of a code, paid at once. Nobody else may
    write meanwhile.
    """
    for statement in (*_SETTINGS, _BEFORE, *_MODEL, _CHAIN):
        cursor.execute(statement)
    cursor.execute("SELECT count(*) FROM leg WHERE phase <> 'posted' OR effective_at IS NOT NULL")
    assert cursor.fetchone() == (0,), "a hold or a backdated transfer cannot be copied"
    cursor.execute("SELECT (SELECT count(*) FROM model), (SELECT seq FROM ledger_book WHERE id = 1)")
    made_today, seq = cursor.fetchone()
    days = -(-payments // made_today)
    copies = [_copy(cursor, table, found) for table, found in _COPIED.items()]
    with _without_indexes(cursor):
        for part in _parts(days, max(1, _CHUNK // made_today)):
            parameters = {**part, "seq": seq + days - part["far"]}
            for statement in (_TRANSFERS, *copies):
                cursor.execute(statement, parameters)
        whole = {"far": days, "days": days, "seq": seq}
        for statement in (_BALANCES, _SPENDING, _SUMS):
            cursor.execute(statement, whole)
        cursor.execute("SELECT pg_temp.extend_chain(%(far)s, %(days)s)", whole)
    cursor.execute("VACUUM ANALYZE")  # as the server would in time
    return int(days * made_today)


def _parts(days: int, at_once: int) -> Iterator[dict[str, int]]:
    """`days` days in runs of `at_once`, the farthest first."""
    for far in range(days, 0, -at_once):
        yield {"far": far, "days": min(at_once, far)}


@contextmanager
def _without_indexes(cursor: Any) -> Iterator[None]:
    """The tables' indexes, but for primary keys, are away meanwhile."""
    cursor.execute(
        "SELECT i.indrelid::regclass::text, i.indexrelid::regclass::text, c.conname,"
        " coalesce(pg_get_constraintdef(c.oid), pg_get_indexdef(i.indexrelid))"
        " FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype = 'u'"
        " WHERE i.indrelid = ANY (%s::regclass[]) AND NOT i.indisprimary",
        (list(_GROWN),),
    )
    found = cursor.fetchall()
    for table, index, constraint, _ in found:
        cursor.execute(
            f"ALTER TABLE {table} DROP CONSTRAINT {constraint}" if constraint else f"DROP INDEX {index}"
        )
    yield
    for table, _, constraint, definition in found:
        cursor.execute(
            f"ALTER TABLE {table} ADD CONSTRAINT {constraint} {definition}" if constraint else definition
        )


def _copy(cursor: Any, table: str, found: str) -> str:
    """The statement that copies a table's rows to the days before, whatever columns it has."""
    cursor.execute(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s"
        " ORDER BY ordinal_position",
        (table,),
    )
    columns = cursor.fetchall()
    names = ", ".join(f'"{name}"' for name, _ in columns)
    values = ", ".join(_value(name, kind) for name, kind in columns)
    rows = f"{_DAYS}, model m JOIN {table} r ON {found}"
    return f"INSERT INTO {table} ({names}) SELECT {values} FROM {rows} ORDER BY day DESC"


def _value(name: str, kind: str) -> str:
    if name in _MOVED_IDS:
        return f"pg_temp.before(r.{name}, day)"
    if name == "request_ref":
        return "r.request_ref || '.' || day"
    if kind == "timestamp with time zone":
        return f"r.\"{name}\" - day * interval '24 hours'"
    if kind == "date":
        return f'r."{name}" - day'
    return f'r."{name}"'
