"""The tour names the pictures that the page tests make, and all of them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools import tour

WEB = Path(__file__).parents[1] / "web"

#: What makes a picture under a name that it is given, and how the whole name is spelled.
MAKERS = {
    "shot": r"{}",
    "looked_at": r"counter-{}",
    "look": r"{}-(light|dark|double)",
}
#: Of these their own bodies say nothing: the name is given from outside.
GIVEN = ("looked_at", "look")


def spelled(name: ast.expr) -> str | None:
    """The names that an expression can be, as a pattern; None for what is no text."""
    if isinstance(name, ast.Constant):
        return re.escape(str(name.value))
    if isinstance(name, ast.JoinedStr):
        parts = name.values
        return "".join(
            re.escape(str(one.value)) if isinstance(one, ast.Constant) else r"[\w-]*" for one in parts
        )
    return None


def made(tree: ast.AST) -> Iterator[str]:
    """Patterns of the pictures that a module of tests makes."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef) and node.name in GIVEN:
            continue
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MAKERS:
            name = spelled(node.args[-1])
            assert name is not None, f"line {node.lineno}: which picture is this?"
            yield MAKERS[node.func.id].format(name)
        yield from made(node)


def all_made() -> dict[str, str]:
    """Every pattern, and where it stands."""
    sources = sorted(WEB.rglob("*.py"))
    return {one: path.name for path in sources for one in made(ast.parse(path.read_text("utf-8")))}


NAMED = tour.named(tour.TOUR.read_text("utf-8"))


def test_every_picture_of_the_tour_is_made_by_a_test() -> None:
    patterns = all_made()
    assert [name for name in NAMED if not any(re.fullmatch(one, name) for one in patterns)] == []
    assert len(NAMED) == len(set(NAMED)), "each once"


def test_no_picture_that_a_test_makes_is_left_out_of_the_tour() -> None:
    named = "\n".join(NAMED)
    unnamed = {one: where for one, where in all_made().items() if not re.search(f"^{one}$", named, re.M)}
    assert unnamed == {}, "name them in docs/tour.md"


def test_the_page_shows_the_tour_in_its_order_and_then_all_others() -> None:
    page = tour.index({"b", "a", "x<y", "every/home"}, "## Steps\n| First | [b](../build/shots/b.png) |\n")
    assert re.findall(r'<img src="([^"]+)"', page) == ["b.png", "a.png", "every/home.png", "x&lt;y.png"]
    assert "<h2>Steps</h2>\n<p>First</p>" in page


def test_a_picture_of_the_tour_that_is_missing_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SHOTS", str(tmp_path))
    for name in NAMED[1:]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / f"{name}.png").touch()
    assert tour.main() == 1
    assert f"the tour names {NAMED[0]}.png" in capsys.readouterr().out
    (tmp_path / f"{NAMED[0]}.png").touch()
    assert tour.main() == 0
    assert (tmp_path / "index.html").read_text("utf-8").count("<figure>") == len(NAMED)
