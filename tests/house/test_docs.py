"""The documentation tells the truth where a machine can tell: links, commands, variables, codes, SQL."""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import psycopg
import pytest

from comptoir.cli.main import _parser
from comptoir.config import environment
from comptoir.db.outbox import OutboxItem, enqueue
from comptoir.flows import wire
from comptoir.kernel.clock import utc_now
from comptoir.kernel.ids import new_id
from tests.conftest import Database

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(r"^( *)```.*?^\1```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_COMMAND = re.compile(r"(?:^|[\s(/])comptoir((?: [^|;#&)\n]+)?)")


@cache
def pages() -> tuple[Path, ...]:
    """Every Markdown page that git knows or will know."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return tuple(path for name in listed.splitlines() if (path := ROOT / name).exists())


def code_in(page: Path) -> Iterator[str]:
    """The lines of a page's code blocks, and its code within sentences."""
    text = page.read_text("utf-8")
    for block in _FENCE.finditer(text):
        yield from block[0].replace("\\\n", " ").splitlines()[1:-1]
    for span in _INLINE.finditer(_FENCE.sub("", text)):
        yield span[1]


def anchors_of(page: Path) -> set[str]:
    """The anchors that a reader of Markdown gives a page's headings."""
    text = _FENCE.sub("", page.read_text("utf-8"))
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    lost = []
    for target in _LINK.findall(_INLINE.sub("", _FENCE.sub("", page.read_text("utf-8")))):
        # Pictures are where the tests make them: tests/house/test_tour.py knows which.
        if re.match(r"[a-z]+:|\.\./build/shots/", target):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        if not file.exists() or (anchor and anchor not in anchors_of(file)):
            lost.append(target)
    assert lost == []


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_exist(page: Path) -> None:
    for code in code_in(page):
        for given in _COMMAND.findall(code):
            assert misused(given.strip()) is None, f"comptoir {given.strip()}"


def misused(given: str) -> str | None:
    """The first word after `comptoir` that its parser does not know, if there is one."""
    try:
        words = shlex.split(given)
    except ValueError:
        words = given.split()
    parser, choices = _parser([]), choices_of(_parser([]))
    for word in words:
        if not re.fullmatch(r"-{0,2}[a-z][a-z-]*", word):
            continue  # a value, or a placeholder
        if word.startswith("-"):
            if word not in parser._option_string_actions:
                return word
        elif choices is not None:
            if word not in choices:
                return word
            found = choices[word]
            if found is not None:
                parser = found
            choices = choices_of(parser) if found is not None else None
    return None


def choices_of(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser | None] | None:
    """What may come next: commands with their parsers, or the words of an argument; None for anything."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
        if not action.option_strings:
            return dict.fromkeys(map(str, action.choices)) if action.choices else None
    return None


def test_the_check_of_commands_can_fail() -> None:
    assert misused("verify --json") is None
    assert misused("demo code --login +8613912340001") is None
    assert misused("serve everything") == "everything"
    assert misused("verify --fast") == "--fast"
    assert misused("wallets burn +86") == "burn"


def test_the_reference_names_every_command_and_only_their_arguments() -> None:
    page = (ROOT / "docs" / "reference" / "commands.md").read_text("utf-8")
    described: dict[str, str] = {}
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        for command in re.findall(r"`comptoir ([a-z -]+)`", cells[0]):
            described[command] = cells[-1]
    assert described.keys() == set(commands(_parser([])))
    for command, text in described.items():
        for option in re.findall(r"`(--[a-z-]+)", text):
            in_sibling = any(
                misused(f"{other} {option}") is None for other in described if text == described[other]
            )
            assert in_sibling, f"comptoir {command} {option}"


def commands(parser: argparse.ArgumentParser, prefix: str = "") -> Iterator[str]:
    """Every command in full, such as `demo code`; one that works alone and with a word is there as both."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                yield from commands(inner, f"{prefix} {name}".strip())
            return
    words = next((one for one in parser._actions if not one.option_strings and one.choices), None)
    if words is None:
        yield prefix
        return
    if words.nargs == "?":
        yield prefix
    yield from (f"{prefix} {word}" for word in map(str, words.choices or ()) if word != words.default)


def variables() -> dict[str, str]:
    """What config/environment.py says of each variable."""
    return dict(re.findall(r"^([A-Z_]+)  +(.+)$", environment.__doc__ or "", re.MULTILINE))


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_variables_exist(page: Path) -> None:
    named = set(re.findall(r"\bCOMPTOIR_[A-Z_]+", page.read_text("utf-8")))
    assert named <= variables().keys()


def test_the_table_of_variables_is_that_of_the_code() -> None:
    page = (ROOT / "docs" / "operating" / "running.md").read_text("utf-8")
    table = re.findall(r"^\| `([A-Z_]+)` \| (.+) \|$", page, re.MULTILINE)
    assert {name: meaning.replace("`", "") for name, meaning in table} == variables()


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in pages():
        for code in code_in(page):
            for target in re.findall(r"^make ([a-z-]+)", code):
                assert target in targets, f"{page.name}: make {target}"


def test_every_result_code_that_the_engine_gives_is_explained() -> None:
    table = (ROOT / "docs" / "reference" / "errors.md").read_text("utf-8")
    for code in {*wire._RESULT_CODES.values(), wire.result_code("no such code")}:
        assert f"`{code}`" in table


def test_every_result_code_that_the_doors_give_is_explained() -> None:
    """Whatever code the gateway and the flows name; what upstreams answer us is theirs."""
    table = (ROOT / "docs" / "reference" / "errors.md").read_text("utf-8")
    named = {
        code
        for room in ("gateway", "flows")
        for module in (ROOT / "comptoir" / room).rglob("*.py")
        for code in re.findall(r"ResultCode\.([A-Z_]+)\b", module.read_text("utf-8"))
    }
    assert len(named) > 20
    assert {code for code in named if f"`{code}`" not in table} == set()


def test_the_sql_that_revives_dead_items(database: Database) -> None:
    page = (ROOT / "docs" / "operating" / "incidents.md").read_text("utf-8")
    (find,) = re.findall(r"^SELECT owner_id[^;]+;", page, re.MULTILINE)
    (revive,) = re.findall(r"^UPDATE db_outbox[^;]+;", page, re.MULTILINE)
    owner, now = new_id(), utc_now()
    items = [OutboxItem(new_id(), owner, "notify.payment", new_id(), {}, now) for _ in range(2)]
    statement = enqueue(items)
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(statement.sql, statement.params)
        connection.execute("UPDATE db_outbox SET dead_at = now(), attempts = 8 WHERE id = %s", [items[0].id])
        assert [row[1] for row in connection.execute(find).fetchall()] == [items[0].id]
        assert connection.execute(revive.replace("…", str(owner))).rowcount == 1
        assert connection.execute(find).fetchall() == []
