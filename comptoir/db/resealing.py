"""Secrets sealed again under the current master key, row by row, beside live traffic.

Each row is a transaction of its own and changes only if it is still what was read: no lock is held that
anybody waits for, a PIN that is set meanwhile stays, and a run that is killed has done what it has done.
The next one does the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from comptoir.db.sealed import current_version, seal, unseal

_PAGE: Final = 200


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of sealed secrets. Rows are walked in the order of `key`, a unique column; `owner` says, of
    its value, what the secret was bound to. `within`: the column is JSON (jsonb), and the secret stands in
    it in base64 under this name, where there is one."""

    table: str
    key: str
    column: str
    purpose: str
    owner: Callable[[Any], str] = str
    within: str = ""

    @property
    def value(self) -> str:
        """The sealed bytes, in SQL; NULL where there are none."""
        return f"decode({self.column}->>'{self.within}', 'base64')" if self.within else self.column

    @property
    def assignment(self) -> str:
        """What puts other sealed bytes (one parameter) there, in SQL."""
        if not self.within:
            return f"{self.column} = %s"
        text = "to_jsonb(translate(encode(%s, 'base64'), E'\\n', ''))"
        return f"{self.column} = jsonb_set({self.column}, '{{{self.within}}}', {text})"


def versions(column: SealedColumn) -> dict[int, int]:
    """How many secrets each version of the master key has sealed."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT get_byte({column.value}, 0), count(*) FROM {column.table}"  # noqa: S608
            f" WHERE {column.value} IS NOT NULL GROUP BY 1 ORDER BY 1"
        )
        return {int(version): int(count) for version, count in cursor.fetchall()}


def reseal(column: SealedColumn) -> int:
    """Seal again what another version sealed; how many. Raises CannotUnseal at the first that does not
    open."""
    changed = 0
    for key, sealed in _others(column):
        owner = column.owner(key)
        fresh = seal(unseal(sealed, column.purpose, owner), column.purpose, owner)
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {column.table} SET {column.assignment}"  # noqa: S608
                f" WHERE {column.key} = %s AND {column.value} = %s",
                [fresh, key, sealed],
            )
            changed += cursor.rowcount
    return changed


def _others(column: SealedColumn) -> Iterator[tuple[Any, bytes]]:
    """(key, sealed) of the rows that another version sealed, in pages."""
    after: list[Any] = []
    while True:
        beyond = f"AND {column.key} > %s" if after else ""
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {column.key}, {column.value} FROM {column.table}"  # noqa: S608
                f" WHERE get_byte({column.value}, 0) <> %s {beyond} ORDER BY {column.key} LIMIT {_PAGE}",
                [current_version(), *after],
            )
            rows = cursor.fetchall()
        if not rows:
            return
        for key, sealed in rows:
            yield key, bytes(sealed)
        after = [rows[-1][0]]
