"""Every migration can be applied while the version before it serves (decision 0031).

What takes something away that older code uses is refused, and so is what keeps a table that grows from
everybody for as long as it takes to read it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import migrations
from django.db.migrations.loader import MigrationLoader
from django.db.models.fields import NOT_PROVIDED

#: Older code stops at these. No later one may be added here: before the first release nobody ran older code.
OLDER_CODE_STOPS = {("acquiring", "0011_store_days")}

#: The last migration of each context in the newest release. Tables have grown since then, not before.
RELEASED: dict[str, str] = {}

_TAKES_AWAY = (
    migrations.RemoveField,
    migrations.DeleteModel,
    migrations.RenameField,
    migrations.RenameModel,
    migrations.AlterModelTable,
    migrations.AlterField,
)
_SQL_TAKES_AWAY = re.compile(
    r"\bDROP\s+(TABLE|COLUMN|FUNCTION)|\bRENAME\b|\bALTER\s+(COLUMN\s+)?\w+\s+(SET\s+DATA\s+)?TYPE\b"
    r"|\bSET\s+NOT\s+NULL|^\s*TRUNCATE\b",
    re.IGNORECASE | re.MULTILINE,
)
_SQL_HOLDS = re.compile(r"\bCREATE\s+(UNIQUE\s+)?INDEX\s+(?!CONCURRENTLY)|\bLOCK\s+TABLE\b", re.IGNORECASE)


def breaks_older_code(migration: migrations.Migration) -> Iterator[str]:
    """What the version before would fail at, once this is applied."""
    removed: set[str] = set()
    for one in migration.operations:
        match one:
            case migrations.AddField() if not _fills_itself(one.field):
                yield f"{one.model_name}.{one.name}: older code does not write it; null=True, or a db_default"
            case migrations.RemoveConstraint():
                removed.add(one.name)
            case migrations.AddConstraint():
                removed.discard(one.constraint.name)
            case migrations.RunSQL() if found := _SQL_TAKES_AWAY.search(_text(one)):
                yield f"SQL: {found[0]}"
            case _ if isinstance(one, _TAKES_AWAY):
                yield type(one).__name__
    yield from (f"{name} is removed: an upsert of older code may name it" for name in removed)


def holds_a_grown_table(migration: migrations.Migration) -> Iterator[str]:
    """What reads a whole table while nobody else may write to it."""
    own = {one.name.lower() for one in migration.operations if isinstance(one, migrations.CreateModel)}
    for one in migration.operations:
        match one:
            case migrations.AddIndex() if type(one) is migrations.AddIndex and one.model_name not in own:
                yield f"{one.index.name}: AddIndexConcurrently, in a migration of its own"
            case migrations.AddConstraint() if type(one) is migrations.AddConstraint:
                if one.model_name not in own:
                    yield f"{one.constraint.name}: AddConstraintNotValid, then ValidateConstraint in the next"
            case migrations.RunPython():
                yield "RunPython: it holds what it has changed until it has changed all; leave it to a worker"
            case migrations.RunSQL() if found := _SQL_HOLDS.search(_text(one)):
                yield f"SQL: {found[0]}"


def _fills_itself(field: object) -> bool:
    return (
        bool(getattr(field, "null", False)) or getattr(field, "db_default", NOT_PROVIDED) is not NOT_PROVIDED
    )


def _text(operation: migrations.RunSQL) -> str:
    """The statements of an operation, without comments and bodies: what a function does it does later."""
    parts = [operation.sql] if isinstance(operation.sql, str) else operation.sql
    text = "\n".join(part if isinstance(part, str) else part[0] for part in parts)
    return re.sub(r"\$\$.*?\$\$|--[^\n]*|'[^']*'", "", text, flags=re.DOTALL)


def ours() -> dict[tuple[str, str], migrations.Migration]:
    """Every migration of the house."""
    found = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    return {key: one for key, one in found.items() if type(one).__module__.startswith("comptoir.")}


MIGRATIONS = ours()


@pytest.mark.parametrize("key", sorted(key for key in MIGRATIONS if key[1][:4] != "0001"), ids="-".join)
def test_older_code_runs_on_with_it(key: tuple[str, str]) -> None:
    context, name = key
    if key not in OLDER_CODE_STOPS:
        assert list(breaks_older_code(MIGRATIONS[key])) == []
    if context in RELEASED and name > RELEASED[context]:
        assert list(holds_a_grown_table(MIGRATIONS[key])) == []


def test_the_exceptions_are_some() -> None:
    assert {key for key in OLDER_CODE_STOPS if not list(breaks_older_code(MIGRATIONS[key]))} == set()


def test_a_release_says_what_was_in_it() -> None:
    """Once CHANGELOG.md has a version, what came with it is named here."""
    changes = (Path(__file__).parents[2] / "CHANGELOG.md").read_text("utf-8")
    assert bool(RELEASED) is bool(re.search(r"^## \[\d", changes, re.MULTILINE))


def test_the_check_can_fail() -> None:
    from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently
    from django.db.models import BigIntegerField, CharField, CheckConstraint, Index, Q

    def one(*operations: object) -> migrations.Migration:
        made = migrations.Migration("later", "acquiring")
        made.operations = list(operations)
        return made

    index, check = Index(fields=["state"], name="i"), CheckConstraint(condition=Q(amount__gt=0), name="c")
    for bad in (
        migrations.AddField("payment", "note", CharField(max_length=9)),
        migrations.AddField("payment", "note", CharField(max_length=9, default="x")),
        migrations.RemoveField("payment", "amount"),
        migrations.RenameField("payment", "amount", "sum"),
        migrations.AlterField("payment", "amount", BigIntegerField(null=True)),
        migrations.RemoveConstraint("payment", "acquiring_payment_request"),
        migrations.RunSQL("ALTER TABLE acquiring_payment ALTER COLUMN amount SET NOT NULL"),
        migrations.RunSQL([("DROP FUNCTION ledger_post", None)]),
    ):
        assert list(breaks_older_code(one(bad))), bad
    for slow in (
        migrations.AddIndex("payment", index),
        migrations.AddConstraint("payment", check),
        migrations.RunSQL("CREATE INDEX i ON acquiring_payment (state)"),
    ):
        assert list(holds_a_grown_table(one(slow))), slow
    for good in (
        migrations.AddField("payment", "note", CharField(max_length=9, null=True)),
        migrations.AddField("payment", "note", BigIntegerField(db_default=0)),
        AddIndexConcurrently("payment", index),
        AddConstraintNotValid("payment", check),
        migrations.RunSQL("CREATE INDEX CONCURRENTLY i ON acquiring_payment (state)"),
        migrations.RunSQL("CREATE FUNCTION f() RETURNS void AS $$ DROP TABLE x $$ LANGUAGE sql"),
    ):
        assert not list(breaks_older_code(one(good))), good
        assert not list(holds_a_grown_table(one(good))), good
