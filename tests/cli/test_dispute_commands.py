"""`comptoir disputes`: the desk, on a real database; and what a refusal leaves as it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from comptoir.acquiring import api as acquiring
from comptoir.flows.api import OK, DefendDispute, Desk, execute
from comptoir.kernel.clock import utc_now
from comptoir.kernel.ids import new_id
from tests.cli.operators import Capture, done, listed, refused
from tests.conftest import Database
from tests.flows.support import Scene, assert_books_hold, make_scene

PDF = b"%PDF-1.7 a letter"


@pytest.fixture
def scene(database: Database) -> Scene:
    return make_scene()


def paid(scene: Scene, n: int = 0) -> str:
    now = utc_now()
    [outcome] = execute([scene.pay(new_id().hex, 1000, code=scene.code(now, n))], now, Desk(3650))
    assert outcome.code == OK
    assert outcome.payment is not None
    return outcome.payment.id.hex


def opened(scene: Scene, payment: str, *more: str) -> tuple[str, ...]:
    words = ("--amount", "10.00 EUR", "--reason-code", "4853", "--reason", "not as described")
    return ("disputes", "open", scene.merchant_id.hex[-20:], payment, *words, *more)


def shown(capsys: Capture, dispute: str, *words: str) -> Any:
    capsys.readouterr()
    done("disputes", "show", dispute, *words)
    return json.loads(capsys.readouterr().out)


def test_a_claim_is_opened_answered_and_judged(scene: Scene, tmp_path: Path, capsys: Capture) -> None:
    letter, read_back, answer = tmp_path / "letter.pdf", tmp_path / "back.pdf", tmp_path / "answer.pdf"
    letter.write_bytes(PDF)
    payment, dispute = paid(scene), new_id().hex
    for _ in range(2):
        done(*opened(scene, payment, "--id", dispute, "--evidence", str(letter)))
    said = capsys.readouterr().out
    assert "10.00 EUR is held of the merchant's" in said
    [one] = listed(capsys, "disputes", "list", "--waiting")
    assert (one["dispute"], one["payment"], one["state"]) == (dispute, payment, "OPEN")
    assert (one["amount"], one["held"], one["reason_code"]) == (1000, True, "4853")
    assert shown(capsys, dispute, "--evidence", str(read_back))["kind"] == "CHARGEBACK"
    assert read_back.read_bytes() == PDF
    assert "no defense" in refused(capsys, "disputes", "show", dispute, "--defense", str(answer))
    document = acquiring.seal_document(PDF + b"!", acquiring.DocumentRole.DEFENSE, UUID(dispute))
    command = DefendDispute(
        merchant_id=scene.merchant_id,
        payment_id=UUID(payment),
        dispute_id=UUID(dispute),
        document=document,
        call_id="c1",
    )
    execute([command], utc_now(), Desk(3650))
    assert shown(capsys, dispute, "--defense", str(answer))["state"] == "DEFENDED"
    assert answer.read_bytes() == PDF + b"!"
    assert scene.owed() == 1000
    done("disputes", "judge", dispute, "--for", "traveller")
    assert "the traveller has the money back" in capsys.readouterr().out
    assert (scene.owed(), scene.purse) == (0, 1_000_000)
    assert listed(capsys, "disputes", "list", "--waiting") == []
    done("disputes", "list", "--merchant", scene.merchant_id.hex[-20:])
    assert "LOST" in capsys.readouterr().out
    assert_books_hold()


@pytest.mark.parametrize(
    ("words", "state", "owed"),
    [
        (("judge", "--for", "merchant"), "WON", 1000),
        (("cancel",), "CANCELLED", 1000),
        (("accept",), "ACCEPTED", 0),
    ],
)
def test_every_end(scene: Scene, capsys: Capture, words: tuple[str, ...], state: str, owed: int) -> None:
    dispute = new_id().hex
    done(*opened(scene, paid(scene), "--id", dispute))
    done("disputes", words[0], dispute, *words[1:])
    assert shown(capsys, dispute)["state"] == state
    assert scene.owed() == owed
    assert_books_hold()


def test_what_is_refused_changes_nothing(scene: Scene, tmp_path: Path, capsys: Capture) -> None:
    payment = paid(scene)
    script = tmp_path / "run.sh"
    script.write_text("#!/bin/sh")
    for words, why in (
        (opened(scene, payment, "--evidence", str(script)), "PDF"),
        (opened(scene, payment, "--evidence", str(tmp_path / "none.pdf")), "cannot be read"),
        (opened(scene, payment, "--days", "0"), "days"),
        (opened(scene, payment, "--amount", "10.01 EUR"), "not so much"),
        (opened(scene, payment, "--amount", "10.00"), "ISO 4217"),
        (opened(scene, new_id().hex), "no such payment"),
        (("disputes", "judge", new_id().hex, "--for", "merchant"), "no such dispute"),
        (("disputes", "show", "17"), "not one of our ids"),
    ):
        assert why in refused(capsys, *words), words
    assert listed(capsys, "disputes", "list") == []
    assert (scene.owed(), scene.purse < 1_000_000) == (1000, True)
    assert_books_hold()
