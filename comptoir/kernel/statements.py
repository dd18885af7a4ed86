"""Database work described as data.

A flow that spans contexts is written as a generator: it yields a list of statements, is sent
the rows of each, and goes on. It never holds a connection, so one and the same flow is run by
the async engine (pipelined), by a sync worker, and by a simulation without any database.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

Row = tuple[Any, ...]
Rows = list[Row]


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL statement with its parameters (psycopg ``%s`` placeholders). Values never go into `sql`."""

    sql: str
    params: Sequence[Any] = ()


def together(statements: Sequence[Statement]) -> Statement:
    """Several writes as one statement, which costs little more than each of them did. Returns no rows.

    For INSERT, UPDATE and DELETE: each sees the database as it was before all of them, and they are done
    in any order. So no two may touch the same row.
    """
    if len(statements) == 1:
        return statements[0]
    parts = ", ".join(f"w{number} AS ({one.sql})" for number, one in enumerate(statements))
    return Statement(
        f"WITH {parts} SELECT WHERE false", [value for one in statements for value in one.params]
    )


#: Yields statements to be sent together; is sent, for each, its rows (empty when it returns none).
Flow = Generator[list[Statement], list[Rows], T]


def json_value(value: Any) -> Any:
    """A json column as Python values: psycopg hands it over decoded, Django's connection as text."""
    return msgspec.json.decode(value) if isinstance(value, str) else value
