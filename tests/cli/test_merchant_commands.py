"""`comptoir merchants`: brought in, under terms, suspended; what is refused changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection as django_connection

from comptoir.acquiring import api as acquiring
from comptoir.cli.main import main
from comptoir.flows.api import OK, Desk, Refund, execute, verify_books
from comptoir.kernel.clock import utc_now
from comptoir.ledger import api as ledger
from comptoir.wallet import api as wallet
from tests.cli.operators import (
    CLIENT,
    REF,
    Capture,
    done,
    listed,
    pay,
    pay_well,
    refused,
)
from tests.conftest import Database


def test_a_merchant_is_brought_in(shop: None, capsys: Capture) -> None:
    (one,) = listed(capsys, "merchants", "list")
    assert (one["merchant"], one["name"], one["active"]) == (REF, "Chocolaterie Sablon", True)
    (terms,) = one["contracts"]
    assert (terms["settle"], terms["take"], terms["margin_bps"]) == ("EUR", ["EUR", "USD"], 150)
    (store,) = one["stores"]
    assert (store["ref"], store["city"], store["mcc"], store["country"]) == (
        "SAB-1",
        "Brussels",
        "5441",
        "BE",
    )
    assert store["terminals"] == ["T1"]
    done("merchants", "list")
    assert "EUR, USD for EUR, 150 bps" in capsys.readouterr().out


def test_a_suspended_merchant_takes_no_payment(shop: None, capsys: Capture) -> None:
    done("merchants", "suspend", REF)
    merchant_id = acquiring.merchant_summary(REF).id
    assert pay(merchant_id, "281200000000000000").code == acquiring.errors.MERCHANT_INACTIVE
    done("merchants", "suspend", REF)
    done("merchants", "activate", REF)
    assert listed(capsys, "merchants", "list")[0]["active"]
    # A payment is opened now, and fails for its code alone.
    assert pay(merchant_id, "281200000000000000").code == wallet.errors.CODE_INVALID


def test_a_suspension_waits_for_the_batch_under_way(shop: None, database: Database) -> None:
    """What holds the books may have read the merchant as active: the command returns only after it."""

    def suspend() -> int:
        try:
            return main(["merchants", "suspend", REF])
        finally:
            django_connection.close()  # the thread's own

    with psycopg.connect(database.url) as batch, ThreadPoolExecutor(1) as pool:
        batch.execute(ledger.lock().sql)
        asked = pool.submit(suspend)
        with pytest.raises(TimeoutError):
            asked.result(0.5)
        assert acquiring.merchant_summary(REF).active
        batch.commit()
        assert asked.result(20) == 0
    assert not acquiring.merchant_summary(REF).active


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("add", REF, "--name", "Other", "--mcc", "5441", "--country", "BE"), "registered already"),
        (("add", "M 43", "--name", "Other", "--mcc", "5441", "--country", "BE"), "reference"),
        (("add", "M43", "--name", " ", "--mcc", "5441", "--country", "BE"), "name"),
        (("add", "M43", "--name", "Other", "--mcc", "54", "--country", "BE"), "four digits"),
        (("add", "M43", "--name", "Other", "--mcc", "5441", "--country", "be"), "two capital letters"),
        (("add", "M43", "--name", "Other", "--mcc", "5441", "--country", "BE", "--office", "x"), "--office"),
        (("contract", "M43", "--settle", "EUR", "--margin-bps", "1"), "no merchant M43"),
        (("contract", REF, "--settle", "EUR", "--margin-bps", "1"), "already"),
        (("contract", REF, "--settle", "GBP", "--margin-bps", "1001"), "basis points"),
        (("contract", REF, "--settle", "GBP", "--margin-bps", "1", "--take", "XXQ"), "ISO 4217"),
        (("contract", REF, "--settle", "GBP", "--margin-bps", "1", "--overdraft", "1.234"), "decimals"),
        (("contract", REF, "--settle", "GBP", "--margin-bps", "1", "--overdraft", "-1"), "below zero"),
        (("contract", REF, "--settle", "GBP", "--margin-bps", "1", "--online-expiry", "1501"), "seconds"),
        (("contract", REF, "--settle", "GBP", "--margin-bps", "1", "--take", "GBP", "--take", "GBP"), "once"),
        (("store", REF, "--ref", "SAB-1", "--name", "Again", "--city", "Ghent"), "already"),
        (("store", REF, "--ref", "SAB-2", "--name", "X" * 257, "--city", "Ghent"), "printable"),
        (("terminal", REF, "--store", "SAB-9", "--ref", "T1"), "no store SAB-9"),
        (("terminal", REF, "--store", "SAB-1", "--ref", "T1"), "already"),
        (("suspend", "M43"), "no merchant M43"),
    ],
)
def test_what_is_refused_of_a_merchant_changes_nothing(
    shop: None, contents: Callable[[], Any], capsys: Capture, words: tuple[str, ...], says: str
) -> None:
    before = contents()
    assert says in refused(capsys, "merchants", *words)
    assert contents() == before


def test_terms_are_changed_for_payments_to_come(shop: None, capsys: Capture) -> None:
    done("merchants", "change", REF, "--settle", "EUR", "--take", "EUR", "--margin-bps", "200")
    done("merchants", "change", REF, "--settle", "EUR", "--refund-days", "400")
    ((terms,),) = [one["contracts"] for one in listed(capsys, "merchants", "list")]
    assert (terms["take"], terms["margin_bps"], terms["refund_days"]) == (["EUR"], 200, 400)
    assert (terms["in_store_expiry"], terms["online_expiry"]) == (600, 840)
    assert pay(acquiring.merchant_summary(REF).id, "281200000000000000", currency="USD").code == (
        acquiring.errors.CURRENCY_NOT_SUPPORTED
    )


def test_what_is_paid_stays_under_a_changed_contract(shop: None, tmp_path: Path) -> None:
    """The payment's price, what is owed and how long it may be given back are those it was made with."""
    merchant_id = acquiring.merchant_summary(REF).id
    paid = pay_well(merchant_id, tmp_path)
    done("merchants", "change", REF, "--settle", "EUR", "--take", "USD", "--margin-bps", "900")
    now = utc_now()
    back = Refund(
        merchant_id=merchant_id, client_ref=CLIENT, request_ref="F1", payment_id=paid.id, amount=paid.amount
    )
    (outcome,) = execute([back], now, Desk(3650))
    assert outcome.code == OK
    assert outcome.refund is not None
    assert outcome.payment is not None
    assert outcome.payment.settlement == paid.settlement
    assert outcome.refund.wallet_amount == paid.wallet_total
    assert verify_books().holds


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--settle", "GBP", "--margin-bps", "1"), "no contract in GBP"),
        (("--settle", "EUR", "--margin-bps", "1001"), "basis points"),
        (("--settle", "EUR", "--take", "XXQ"), "ISO 4217"),
        (("--settle", "EUR", "--take", "EUR", "--take", "EUR"), "once"),
        (("--settle", "EUR", "--refund-days", "364"), "no fewer"),
        (("--settle", "EUR", "--online-expiry", "0"), "seconds"),
    ],
)
def test_terms_that_are_refused_change_nothing(
    shop: None,
    contents: Callable[[], dict[str, Any]],
    capsys: Capture,
    words: tuple[str, ...],
    reason: str,
) -> None:
    before = contents()
    assert reason in refused(capsys, "merchants", "change", REF, *words)
    assert contents() == before
