"""Whatever staff do is said in words: every action in the code has a name, in every language."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import translation

from comptoir.web.merchant import words
from tools.languages import WEB

#: Rooms whose visitors work for a merchant. What travellers do is in records of their own.
ROOMS = ("components", "signin", "counter", "merchant")
#: What writes to the record: a call, and the place of the action among its arguments.
RECORDERS = {"did": 0, "record_action": 1}


def actions_in(code: str) -> set[str]:
    """Every action that a module records. Raises ValueError for one that cannot be read off the code."""
    tree = ast.parse(code)
    functions = [one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)]
    taking = RECORDERS | {
        one.name: names.index("action")
        for one in functions
        if "action" in (names := [argument.arg for argument in one.args.args])
    }
    found: set[str] = set()
    for function in functions:
        for call in ast.walk(function):
            name = _called(call)
            if isinstance(call, ast.Call) and name in taking:
                found.update(_said(call.args[taking[name]], function))
    return found


def _called(call: ast.AST) -> str:
    called = call.func if isinstance(call, ast.Call) else None
    if isinstance(called, ast.Attribute):
        return called.attr
    return called.id if isinstance(called, ast.Name) else ""


def _said(value: ast.expr, function: ast.FunctionDef) -> Iterator[str]:
    """What an expression may be: text, one of two, or a name for such; a parameter's callers say it."""
    match value:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=one, orelse=other):
            yield from _said(one, function)
            yield from _said(other, function)
        case ast.Name(id=name) if name in {argument.arg for argument in function.args.args}:
            return
        case ast.Name(id=name):
            given = [
                one.value
                for one in ast.walk(function)
                if isinstance(one, ast.Assign) and [ast.unparse(target) for target in one.targets] == [name]
            ]
            if not given:
                raise ValueError(f"line {value.lineno}: nobody sees which action {name} is")
            for one in given:
                yield from _said(one, function)
        case _:
            raise ValueError(f"line {value.lineno}: write the action out, not {ast.unparse(value)}")


MODULES = sorted(path for room in ROOMS for path in (WEB / room).rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(WEB)))
def test_every_action_has_a_name(path: Path) -> None:
    unnamed = {one for one in actions_in(path.read_text()) if words.action(one) == one}
    assert not unnamed, "name them in comptoir/web/merchant/words.py"


def test_the_actions_are_found_and_said_in_five_languages() -> None:
    found = {action for path in MODULES for action in actions_in(path.read_text())}
    assert {"login.succeed", "login.change", "refund.create", "dispute.defend", "client.add_key"} <= found
    assert {"staff.in", "staff.out", "till.create", "poster.print", "second_factor.remove"} <= found
    for language in ("zh-hans", "nl", "fr", "de"):
        with translation.override("en"):
            english = {one: words.action(one) for one in found}
        with translation.override(language):
            same = {one for one in found if words.action(one) in (one, english[one])}
        assert not same, language


@pytest.mark.parametrize(
    "code",
    [
        "def act(visitor, what): visitor.did(f'staff.{what}')",
        "def act(visitor, one): visitor.did(one.action)",
        "def act(visitor): visitor.did(somewhere)",
    ],
)
def test_an_action_that_is_put_together_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match="action"):
        actions_in(code)


def test_an_action_is_found_wherever_it_is_written() -> None:
    code = """
def one(visitor, back):
    visitor.did("a.in" if back else "a.out")
def other(visitor):
    made = "b.one"
    visitor.did(made)
def pass_on(visitor, action):
    visitor.did(action)
def third(visitor):
    pass_on(visitor, "c.one")
"""
    assert actions_in(code) == {"a.in", "a.out", "b.one", "c.one"}
