"""The tests that docs/reliability.md and docs/operating/security.md name are there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
RELIABILITY = ROOT / "docs" / "reliability.md"
SECURITY = ROOT / "docs" / "operating" / "security.md"

_CODE = re.compile(r"`([^`]+)`")


@cache
def names_in(file: Path) -> frozenset[str]:
    """The names of a file's tests."""
    if not file.is_file():
        return frozenset()
    return frozenset(re.findall(r"^(?:async )?def (test_\w+)", file.read_text("utf-8"), re.MULTILINE))


def last_cells(page: Path) -> Iterator[str]:
    """What the tables of a page say in their last column."""
    for line in page.read_text("utf-8").splitlines():
        if line.startswith("| ") and not line.startswith("|---"):
            yield line.rstrip("| ").rpartition("|")[2].strip()


def promised(page: Path, base: Path) -> Iterator[tuple[str, Path, str]]:
    """Each test that a table names: as written, its file, and its name with … for what is left out.

    A file stands for all its tests; patterns after it are of that file: `test_a.py`: `f1_…`.
    """
    for cell in last_cells(page):
        file = None
        for word in _CODE.findall(cell):
            path, _, name = word.partition("::")
            if path.endswith(".py"):
                file = (base / path).resolve()
                yield word, file, name or "…"
            elif file is not None:
                yield word, file, f"test_{word}" if not word.startswith("…") else word


def fits(name: str, pattern: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("…"))), name) is not None


def is_there(file: Path, pattern: str) -> bool:
    return any(fits(name, pattern) for name in names_in(file))


@pytest.mark.parametrize(("page", "base"), [(RELIABILITY, TESTS / "api"), (SECURITY, TESTS)])
def test_every_test_that_is_named_exists(page: Path, base: Path) -> None:
    named = list(promised(page, base))
    assert len(named) > 40
    assert [word for word, file, name in named if not is_there(file, name)] == []


def test_every_fault_of_this_side_has_its_row() -> None:
    first = re.findall(r"^\| ([^|]*) \|", RELIABILITY.read_text("utf-8"), re.MULTILINE)
    rows = {fault for cell in first for fault in re.findall(r"\bF\d+\b", cell)}
    assert rows == {f"F{n}" for n in (*range(1, 14), 15, 20, 21, 22)}


def test_every_test_of_a_fault_is_in_a_row() -> None:
    """Whoever writes one says so in the table."""
    named = list(promised(RELIABILITY, TESTS / "api"))
    for file in TESTS.rglob("test_*.py"):
        for name in names_in(file):
            if re.match(r"test_f\d+_", name):
                assert any(known == file.resolve() and fits(name, one) for _, known, one in named), name


def test_the_check_can_fail() -> None:
    file = TESTS / "api" / "test_faults.py"
    assert is_there(file, "test_f1_…")
    assert is_there(file, "…")
    assert not is_there(file, "test_f99_…")
    assert not is_there(TESTS / "api" / "test_nothing.py", "…")
