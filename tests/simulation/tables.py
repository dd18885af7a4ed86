"""Tables in memory, with the keys, unique constraints, checks and defaults that the Django models declare."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import Any

import psycopg
from django.apps import apps
from django.db.models import CheckConstraint, F, Index, Model, Q, UniqueConstraint

Key = tuple[Any, ...]
Values = tuple[Any, ...]
#: A table's name, a row's key, and the row before.
Change = tuple["Table", Key, "Values | None"]


class Work:
    """One transaction: what it has changed so far, with the rows as they were before."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        #: Every write, in order: the same row may be among them several times.
        self.written: list[tuple[str, Key]] = []


class Busy(Exception):
    """The row is in another transaction's hands."""

    def __init__(self, holder: Work) -> None:
        super().__init__()
        self.holder = holder


class Table:
    """Rows by key. What a transaction has not committed is seen by itself alone."""

    def __init__(self, model: type[Model]) -> None:
        meta = model._meta
        fields = meta.concrete_fields
        self.name = meta.db_table
        self.columns = {field.column: position for position, field in enumerate(fields)}
        self.defaults = [_default(field) for field in fields]
        names = [field.column for field in meta.pk_fields]
        self.key_columns = tuple(names)
        self.key_of = _getter([self.columns[name] for name in names])
        self._broken = _broken_check(
            [one for one in meta.constraints if isinstance(one, CheckConstraint)], self.columns
        )
        self.rows: dict[Key, Values] = {}
        self._before: dict[Key, tuple[Values | None, Work]] = {}
        self.indexes: dict[tuple[str, ...], dict[Key, Key]] = {}
        self._moving: list[tuple[str, Callable[[Values], Key], dict[Key, Key]]] = []
        self._unique: list[tuple[str, Callable[[Values], Key], dict[Key, Key]]] = []
        for one in meta.constraints:
            if isinstance(one, UniqueConstraint):
                self._index(one.name, tuple(one.fields))
        self._groups: list[tuple[Callable[[Values], Key], dict[Key, dict[Key, None]]]] = []
        for index in meta.indexes:
            # Random codes and ids name one row each; no other plain index is looked up by value.
            if isinstance(index, Index) and tuple(index.fields) in {
                ("order_code",),
                ("consent_code",),
                ("id",),
            }:
                self._index(index.name, tuple(index.fields))

    def _index(self, name: str, fields: tuple[str, ...]) -> None:
        found: dict[Key, Key] = {}
        self.indexes[fields] = found
        self._unique.append((name, _getter([self.columns[field] for field in fields]), found))

    def may_change(self, columns: set[int]) -> None:
        """Some statement changes these columns: what is unique in them is looked after at each change."""
        names = {name for name, at in self.columns.items() if at in columns}
        for fields, found in self.indexes.items():
            moving = [one for one in self._unique if one[2] is found and one not in self._moving]
            self._moving += moving if names.intersection(fields) else []

    def group_by(self, *fields: str) -> dict[Key, dict[Key, None]]:
        """From now on: the keys of the rows with the same values in these columns, which never change."""
        groups: dict[Key, dict[Key, None]] = defaultdict(dict)
        self._groups.append((self.columns_of(*fields), groups))
        return groups

    def get(self, key: Key, reader: Work | None) -> Values | None:
        """The row that `reader` sees: its own, or the last committed one."""
        if self._before and key in self._before:
            before, writer = self._before[key]
            if writer is not reader:
                return before
        return self.rows.get(key)

    def held(self, key: Key, work: Work) -> bool:
        """Whether another transaction has written the row and not ended yet."""
        return key in self._before and self._before[key][1] is not work

    def find(self, fields: tuple[str, ...], values: Key, reader: Work | None) -> Values | None:
        """The row with these values in the fields of its key or of a unique index."""
        if fields == self.key_columns:
            return self.get(values, reader)
        key = self.indexes[fields].get(values)
        return None if key is None else self.get(key, reader)

    def seen(self, reader: Work | None) -> Iterator[Values]:
        """Every row that `reader` sees, in order of insertion."""
        for key in list(self.rows):
            row = self.get(key, reader)
            if row is not None:
                yield row

    def put(self, row: Values, work: Work) -> None:
        """Write a row. Raises Busy, or what PostgreSQL raises for a broken constraint."""
        key = self.key_of(row)
        if self.held(key, work):
            raise Busy(self._before[key][1])
        if (broken := self._broken(row)) is not None:
            raise psycopg.errors.CheckViolation(broken)
        old = self.rows.get(key)
        for name, values_of, found in self._unique if old is None else self._moving:
            values, before = values_of(row), old and values_of(old)
            if values != before:
                if None not in values and found.setdefault(values, key) != key:
                    raise psycopg.errors.UniqueViolation(name)
                if before is not None:
                    found.pop(before, None)
        if old is None:
            for values_of, groups in self._groups:
                groups[values_of(row)][key] = None
        if key not in self._before:
            self._before[key] = old, work
            work.changes.append((self, key, old))
        self.rows[key] = row
        work.written.append((self.name, key))

    def insert(self, values: dict[str, Any], work: Work) -> None:
        """Write a new row from some of its columns."""
        row = list(self.defaults)
        for name, value in values.items():
            row[self.columns[name]] = value
        if self.key_of(row) in self.rows:
            raise psycopg.errors.UniqueViolation(self.name)
        self.put(tuple(row), work)

    def settle(self, key: Key) -> None:
        """The row's transaction has committed."""
        self._before.pop(key, None)

    def restore(self, key: Key, old: Values | None) -> None:
        """The row's transaction was rolled back."""
        self._before.pop(key, None)
        row = self.rows[key]
        for _, values_of, found in self._unique if old is None else self._moving:
            if found.get(values_of(row)) == key:
                del found[values_of(row)]
            if old is not None and None not in (before := values_of(old)):
                found[before] = key
        if old is not None:
            self.rows[key] = old
            return
        del self.rows[key]
        for values_of, groups in self._groups:
            del groups[values_of(row)][key]

    def changed(self, row: Values, **values: Any) -> Values:
        """A row with some columns changed."""
        new = list(row)
        for name, value in values.items():
            new[self.columns[name]] = value
        return tuple(new)

    def value(self, row: Values, name: str) -> Any:
        """One column of a row."""
        return row[self.columns[name]]

    def named(self, row: Values) -> dict[str, Any]:
        """A row by column names."""
        return dict(zip(self.columns, row))  # noqa: B905, hot, and as long as the table is wide

    def columns_of(self, *names: str) -> Callable[[Values], Values]:
        """What takes these columns out of a row."""
        return _getter([self.columns[name] for name in names])


def all_tables(app_labels: tuple[str, ...]) -> dict[str, Table]:
    """A table for every model of these applications, by table name."""
    return {
        model._meta.db_table: Table(model)
        for label in app_labels
        for model in apps.get_app_config(label).get_models()
    }


def _default(field: Any) -> Any:
    if field.has_default():
        return field.get_default()
    # The one default that is an expression, the instant of recording, is never read.
    given = getattr(field, "db_default", None)
    return given if isinstance(given, int | str) else None


def _getter(positions: list[int]) -> Callable[[Any], Key]:
    if len(positions) > 1:
        return itemgetter(*positions)
    (only,) = positions
    return lambda row: (row[only],)


_OPERATORS = {"gte": ">=", "gt": ">", "lte": "<=", "lt": "<", "exact": "==", "in": "in"}


def _broken_check(
    checks: Sequence[CheckConstraint], columns: dict[str, int]
) -> Callable[[Values], str | None]:
    """A function that names the first check that a row breaks.

    It is written out as Python once a table: a check is asked of every row that is ever written.
    """
    known: dict[str, Any] = {}
    text = "".join(f"{one.name!r} if {_told(one.condition, False, columns, known)} else " for one in checks)
    return eval(f"lambda row: {text}None", known)  # type: ignore[no-any-return] # noqa: S307


def _told(condition: Q, truth: bool, columns: dict[str, int], known: dict[str, Any]) -> str:
    """An expression that is true where a condition surely is what `truth` says.

    With the logic of SQL: what is compared with nothing is neither true nor false.
    """
    truth ^= condition.negated
    parts = [
        _told(child, truth, columns, known) if isinstance(child, Q) else _lookup(child, truth, columns, known)
        for child in condition.children
    ]
    every = truth is (condition.connector == Q.AND)
    return f"({(' and ' if every else ' or ').join(parts)})"


def _lookup(child: tuple[str, Any], truth: bool, columns: dict[str, int], known: dict[str, Any]) -> str:
    name, _, kind = child[0].partition("__")
    value, wanted = f"row[{columns[name]}]", child[1]
    if kind == "isnull":
        return f"{value} is {'' if wanted is truth else 'not '}None"
    there = f"{value} is not None"
    if isinstance(wanted, F):
        limit = f"row[{columns[wanted.name]}]"
        there += f" and {limit} is not None"
    else:
        limit = f"wanted{len(known)}"
        known[limit] = re.compile(wanted).search if kind == "regex" else wanted
    holds = f"{limit}({value})" if kind == "regex" else f"{value} {_OPERATORS[kind or 'exact']} {limit}"
    return f"({there} and {'' if truth else 'not '}({holds}))"
