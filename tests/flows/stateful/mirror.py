"""What a batch wrote to the real database, in the form in which the simulation's oracle looks at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import connection
from django.db.models import Model

from comptoir.ledger.api import Side
from tests.ledger.model import ModelAccount
from tests.simulation.oracle.rows import LOOKS

#: What the oracle compares; what else is written is proven by `verify_books`.
TABLES = (*LOOKS, "db_outbox")

Row = dict[str, Any]
Key = tuple[Any, ...]


@dataclass
class MirrorTable:
    """The rows of a table when it was read last, by key."""

    model: type[Model]
    rows: dict[Key, Row] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.model._meta.db_table

    def named(self, row: Row) -> Row:
        """A row by column names, which ours are already."""
        return row

    def columns_of(self, *names: str) -> Callable[[Row], tuple[Any, ...]]:
        """What reads these columns of a row."""
        return itemgetter(*names)

    def read(self) -> Iterator[tuple[MirrorTable, Key, Row | None]]:
        """Read the table again; what is new or changed, with the row as it was before."""
        before, key_columns = self.rows, [one.attname for one in self.model._meta.pk_fields]
        self.rows = {
            tuple(row[name] for name in key_columns): {
                name: bytes(value) if isinstance(value, memoryview) else value for name, value in row.items()
            }
            for row in self.model._default_manager.values()
        }
        for key, row in self.rows.items():
            if before.get(key) != row:
                yield self, key, before.get(key)


@dataclass
class Books:
    """Every account when the books were read last."""

    accounts: dict[UUID, ModelAccount] = field(default_factory=dict)


@dataclass
class Written:
    """What one transaction changed."""

    changes: list[tuple[MirrorTable, Key, Row | None]]
    accounts: dict[UUID, ModelAccount]


class Mirror:
    """The database, read after each commit."""

    def __init__(self) -> None:
        self.books = Books()
        models = {one._meta.db_table: one for one in apps.get_models()}
        self.tables = {name: MirrorTable(models[name]) for name in TABLES}
        self.read()

    def table(self, name: str) -> MirrorTable:
        return self.tables[name]

    def read(self) -> Written:
        """Read everything again."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id, side, currency, floor, closed_at IS NOT NULL, debits_posted, credits_posted,"
                " debits_pending, credits_pending FROM ledger_account"
            )
            self.books.accounts = {
                id: ModelAccount(Side(side), *rest) for id, side, *rest in cursor.fetchall()
            }
        changes = [change for table in self.tables.values() for change in table.read()]
        return Written(changes, self.books.accounts)
