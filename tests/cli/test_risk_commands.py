"""`comptoir risk`: rules from a file, tried on the past, put in force, and seen to work."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from comptoir.acquiring import api as acquiring
from comptoir.flows.api import OK, Desk, Outcome, execute
from comptoir.kernel.clock import utc_now
from comptoir.kernel.ids import new_id
from comptoir.kernel.money import Money
from comptoir.risk import api as risk
from tests.cli.operators import Capture, done, listed, refused
from tests.conftest import Database
from tests.flows.support import Scene, assert_books_hold, make_scene

RULES = """
[[rules]]
id = "no-large-ones"
action = "refuse"
currency = "EUR"
above = "10.00"

[[rules]]
id = "look-at-them"
action = "flag"
per = "merchant"
payments = 0
within = "1h"
"""


@pytest.fixture
def scene(database: Database) -> Scene:
    return make_scene()


def pay(scene: Scene, minor: int, n: int) -> Outcome:
    now = utc_now()
    command = scene.pay(new_id().hex, minor, code=scene.code(now, n))
    return execute([command], now, Desk(3650))[0]


def shown(capsys: Capture, *words: str) -> Any:
    capsys.readouterr()
    done("risk", "show", *words)
    return json.loads(capsys.readouterr().out)


def test_rules_are_tried_put_in_force_and_seen_to_work(scene: Scene, tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(RULES)
    ref = scene.merchant_id.hex[-20:]
    assert pay(scene, 11_00, 0).code == OK
    done("risk", "check", str(file))
    begin, end = ((utc_now() + timedelta(hours=hours)).isoformat() for hours in (-1, 1))
    tried = listed(capsys, "risk", "dry-run", str(file), "--from", begin, "--until", end)
    assert tried["charges"] == {"refuse": 1}
    assert [(one["rule"], one["merchant"], one["amount"], one["paid"]) for one in tried["lines"]] == [
        ("look-at-them", ref, 11_00, 1),
        ("no-large-ones", ref, 11_00, 1),
    ]
    assert risk.versions() == (), "trying changes nothing"
    done("risk", "activate", str(file), "--note", "a quiet week")
    stopped, passed = pay(scene, 11_00, 1), pay(scene, 9_00, 2)
    assert (stopped.code, passed.code, scene.owed()) == (risk.errors.REFUSED, OK, 20_00)
    entries = listed(capsys, "risk", "log", "--merchant", ref)
    assert [(one["action"], one["amount"], one["version"]) for one in entries] == [
        ("flag", 9_00, 1),
        ("refuse", 11_00, 1),
    ]
    assert stopped.payment is not None
    [entry] = listed(capsys, "risk", "log", "--payment", stopped.payment.id.hex)
    assert [(one["rule"], one["fired"], one["measured"]) for one in entry["looked"]] == [
        ("no-large-ones", True, None),
        ("look-at-them", True, 1),
    ]
    # What is shown is a rule file again; an empty one takes the rules out of force.
    file.write_text(json.dumps(shown(capsys)))
    assert "2 rules" in said(capsys, "check", str(file))
    file.write_text("")
    done("risk", "activate", str(file))
    assert shown(capsys) == {}
    assert [one["id"] for one in shown(capsys, "--version", "1")["rules"]] == [
        "no-large-ones",
        "look-at-them",
    ]
    assert pay(scene, 11_00, 3).code == OK
    file.write_text(RULES)
    for words, text in (
        (["versions"], "a quiet week"),
        (["log"], "look-at-them (1)"),
        (["dry-run", str(file), "--from", begin, "--until", end], Money(11_00, "EUR").currency),
    ):
        assert text in said(capsys, *words)
    assert_books_hold()


def said(capsys: Capture, *words: str) -> str:
    capsys.readouterr()
    done("risk", *words)
    return capsys.readouterr().out


def test_what_is_refused_changes_nothing(scene: Scene, tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "rules.toml"
    for text, why in (
        ("[[rules]]\nid = 'r'\naction = 'refuse'\nmccs = ['59']", "mccs"),
        ("[[rules]]\nid = 'r'\naction = 'refuse'\nmerchants = ['M404']", "M404"),
        ("[[rules]]", "id"),
    ):
        file.write_text(text)
        assert why in refused(capsys, "risk", "activate", str(file))
    assert "cannot be read" in refused(capsys, "risk", "check", str(tmp_path / "none.toml"))
    days = ("--from", "2026-01-01", "--until", "2026-01-02")
    assert "offsets" in refused(capsys, "risk", "dry-run", str(file), *days)
    assert "no such" in refused(capsys, "risk", "show")
    assert "no merchant" in refused(capsys, "risk", "log", "--merchant", "M404")
    assert risk.versions() == ()
    assert acquiring.known_refs(["M404"]) == frozenset()
    assert pay(scene, 11_00, 0).code == OK
