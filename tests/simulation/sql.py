"""The engine's set-based SQL, understood by its shape and run on tables in memory.

Two shapes: `INSERT ... SELECT ... FROM json_to_recordset(...) ON CONFLICT ...`, and `SELECT ... FROM one
table` by key or by values of an index. The statements are the real ones, so a column that is forgotten in
one of them is forgotten here. What has another shape is written by hand in `statements`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter, itemgetter
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from tests.simulation.tables import Table, Values, Work

Run = Callable[[Work, Sequence[Any]], list[Values]]

_TYPES: dict[str, Any] = {
    "uuid": UUID, "text": str, "bigint": int, "int": int, "smallint": int, "numeric": Decimal,
    "timestamptz": datetime, "date": date, "boolean": bool, "jsonb": Any, "bytea": str,
}  # fmt: skip

_INSERT = re.compile(
    r'\s*INSERT INTO (?P<table>\w+) \((?P<into>[\w\s,"]+)\)\s*SELECT (?P<given>[^;]+?)\s'
    r'FROM jsonb?_to_recordset\(%s::jsonb?\)\s+AS \w+\s*\((?P<types>[\w\s,"\[\]]+)\)\s*'
    r"(?:ON CONFLICT (?:\([\w\s,]+\) )?DO (?P<do>NOTHING|UPDATE SET (?P<set>[\w\s,.=\"]+)))?\s*"
)
_SELECT = re.compile(
    r"\s*SELECT (?P<columns>[\w\s,.()\"]+?)\s+FROM (?P<table>\w+)(?: (?P<alias>\w))?\s+"
    r"(?:JOIN unnest\([^)]*\) AS \w+ \([\w\s,]+\)\s+USING \((?P<using>[\w\s,]+)\)"
    r"|WHERE (?:\w\.)?(?P<any>\w+) = ANY \(%s\))\s*"
)


def parts_of(sql: str) -> list[tuple[str, int]]:
    """The writes that were put together in one statement, each with the number of its parameters."""
    if not sql.startswith("WITH w0 AS (") or not sql.endswith(" SELECT WHERE false"):
        return []
    inner = sql.removeprefix("WITH w0 AS (").removesuffix(") SELECT WHERE false")
    return [(one, one.count("%s")) for one in re.split(r"\), w[0-9]+ AS \(", inner)]


def understand(sql: str, tables: dict[str, Table]) -> Run | None:
    """How to run a statement of one of the two shapes; None for any other."""
    if found := _INSERT.fullmatch(sql):
        return _insert(found, tables[found["table"]])
    if (found := _SELECT.fullmatch(sql)) and found["table"] in tables:
        return _select(found, tables[found["table"]])
    return None


def _insert(found: re.Match[str], table: Table) -> Run:
    typed = [one.split() for one in _split(found["types"])]
    record = msgspec.defstruct(
        "Record", [(name, _TYPES[kind] | None, None) for name, kind in typed], gc=False
    )
    decoder = msgspec.json.Decoder(list[record])  # type: ignore[valid-type]
    names = [name for name, _ in typed]
    given = names if found["given"].strip() == "*" else _split(found["given"])
    into = [table.columns[name] for name in _split(found["into"])]
    hexes = [at for at, one in zip(into, given, strict=True) if one.startswith("decode(")]
    values_of = attrgetter(*(re.sub(r"decode\((\w+).*", r"\1", one) for one in given))
    update = {table.columns[one.split("=")[0].strip()] for one in _split(found["set"] or "")}
    table.may_change(update)
    # A row is put together out of two: what is given and the defaults, or the new row and the old one.
    width, defaults = len(table.columns), tuple(table.defaults)
    fresh = itemgetter(*(into.index(at) if at in into else len(into) + at for at in range(width)))
    merged = itemgetter(*(at if at in update else width + at for at in range(width)))

    def run(work: Work, params: Sequence[Any]) -> list[Values]:
        for one in decoder.decode(params[0]):
            row = fresh(values_of(one) + defaults)
            for at in hexes:
                row = (*row[:at], row[at] and bytes.fromhex(row[at]), *row[at + 1 :])
            old = table.get(table.key_of(row), work)
            if old is None:
                table.put(row, work)
            elif update:
                table.put(merged(row + old), work)
            elif found["do"] is None:
                raise psycopg.errors.UniqueViolation(table.name)
        return []

    return run


def _select(found: re.Match[str], table: Table) -> Run:
    columns = [one.removeprefix(f"{found['alias']}.") for one in _split(found["columns"])]
    trimmed = [place for place, one in enumerate(columns) if one.startswith("trim_scale(")]
    names = [re.sub(r"trim_scale\((?:\w\.)?(\w+)\)", r"\1", one) for one in columns]
    selected = itemgetter(*(table.columns[name] for name in names))
    fields = tuple(_split(found["using"] or found["any"]))

    def run(work: Work, params: Sequence[Any]) -> list[Values]:
        if not params[0]:
            return []
        keys = zip(*params, strict=True) if found["using"] else ((one,) for one in dict.fromkeys(params[0]))
        rows = []
        for key in keys:
            row = table.find(fields, key, work)
            if row is not None:
                values = selected(row)
                for place in trimmed:
                    values = (*values[:place], trim_scale(values[place]), *values[place + 1 :])
                rows.append(values)
        return rows

    return run


@lru_cache(maxsize=4096)
def trim_scale(value: Decimal | None) -> Decimal | None:
    """A number without zeros at its end, and without an exponent."""
    if value is None or value.as_tuple().digits[-1] or not value.as_tuple().exponent:
        return value
    short = value.normalize()
    return short.quantize(Decimal(1)) if short.as_tuple().exponent > 0 else short  # type: ignore[operator]


def _split(text: str) -> list[str]:
    """A list of SQL at its commas, those in brackets left alone; quotes around names taken off."""
    return [one.strip() for one in re.split(r",(?![^(]*\))", text.replace('"', "")) if one.strip()]
