"""Run a `Flow` of statements on a connection, sync or async.

The flow decides what is asked; these two functions only carry it. Neither opens nor commits a
transaction: that is the caller's, who knows what belongs together.
"""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from django.db import connection
from psycopg import AsyncConnection

from comptoir.kernel.statements import Flow, Rows, Statement

T = TypeVar("T")


class Cursor(Protocol):
    """What `run_sync` needs of a cursor: psycopg's and Django's both have it."""

    description: Any

    def execute(self, sql: Any, params: Any = None, /) -> Any: ...

    def fetchall(self) -> list[Any]: ...


def run_sync(cursor: Cursor, flow: Flow[T]) -> T:
    """Run `flow` to its end on `cursor`, a statement at a time; the flow's value is returned."""
    try:
        wanted = next(flow)
        while True:
            wanted = flow.send([_execute(cursor, statement) for statement in wanted])
    except StopIteration as end:
        return end.value


async def run_async(connection: AsyncConnection[Any], flow: Flow[T]) -> T:
    """Run `flow` to its end on `connection`; the statements of one step travel in one pipeline."""
    try:
        wanted = next(flow)
        while True:
            wanted = flow.send(await send(connection, wanted))
    except StopIteration as end:
        return end.value


async def send(connection: AsyncConnection[Any], statements: list[Statement]) -> list[Rows]:
    """Send statements in one network round trip; the rows of each, in order."""
    if len(statements) == 1:
        cursors = [await connection.execute(statements[0].sql, statements[0].params)]
    else:
        async with connection.pipeline():
            cursors = [await connection.execute(one.sql, one.params) for one in statements]
    return [await cursor.fetchall() if cursor.rownumber is not None else [] for cursor in cursors]


def _execute(cursor: Cursor, statement: Statement) -> Rows:
    cursor.execute(statement.sql, statement.params)
    return list(cursor.fetchall()) if cursor.description else []


def read(statement: Statement) -> Rows:
    """The rows of one statement on Django's connection."""
    with connection.cursor() as cursor:
        return _execute(cursor, statement)
