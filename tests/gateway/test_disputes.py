"""Disputes from the merchant's side, through the signed door, with the official SDK's classes."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from com.alipay.ams.api.request.dispute.alipay_accept_dispute_request import AlipayAcceptDisputeRequest
from com.alipay.ams.api.request.dispute.alipay_download_dispute_evidence_request import (
    AlipayDownloadDisputeEvidenceRequest,
)
from com.alipay.ams.api.request.dispute.alipay_supply_defense_document_request import (
    AlipaySupplyDefenseDocumentRequest,
)
from com.alipay.ams.api.request.notify.alipay_dispute_notify import AlipayDisputeNotify
from com.alipay.ams.api.response.dispute.alipay_accept_dispute_response import AlipayAcceptDisputeResponse
from com.alipay.ams.api.response.dispute.alipay_supply_defense_document_response import (
    AlipaySupplyDefenseDocumentResponse,
)

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import DisputeKind, DocumentRole
from comptoir.db.run import read
from comptoir.flows import api as flows
from comptoir.flows.notifications.bodies import dispute_body
from comptoir.kernel.ids import new_id
from comptoir.kernel.money import Money

from .shop import Shop, aside, code_of, now
from .world import OTHER_CLIENT, count, money_moved

pytestmark = pytest.mark.anyio

PDF = b"%PDF-1.7 what the traveller says"


async def disputed(shop: Shop, **given: Any) -> str:
    """A paid payment of 12.50 EUR, claimed whole; the dispute's id."""
    paid = await shop.pay()
    assert code_of(paid) == ("SUCCESS", "S")
    dispute_id = new_id()

    def claim() -> flows.Outcome:
        command = flows.OpenDispute(
            merchant_id=shop.world.merchant_id,
            payment_id=UUID(paid["paymentId"]),
            dispute_id=dispute_id,
            kind=DisputeKind.CHARGEBACK,
            amount=Money(1250, "EUR"),
            reason_code="4853",
            reason="not as described",
            due_at=now() + timedelta(days=14),
            evidence=acquiring.seal_document(PDF, DocumentRole.EVIDENCE, dispute_id),
        )
        return flows.execute([command], now(), flows.Desk(5))[0]

    outcome = await aside(claim)
    assert outcome.code == flows.OK
    return dispute_id.hex


def owed(moved: list[tuple[str, str, int]]) -> int:
    return next((balance for role, _, balance in moved if role == "merchant.payable"), 0)


async def test_a_merchant_gives_in_once(shop: Shop) -> None:
    request = AlipayAcceptDisputeRequest()
    request.dispute_id = await disputed(shop)
    first = AlipayAcceptDisputeResponse(json.dumps(await shop.execute(request)))
    assert first.result.result_code == "SUCCESS"
    assert first.dispute_id == request.dispute_id
    assert first.dispute_resolution_time
    after = await aside(money_moved)
    assert owed(after) == 0
    assert code_of(await shop.execute(request)) == ("REPEAT_REQUEST", "F")
    assert await aside(money_moved) == after
    # Nobody asked for a refund: none is listed.
    found = await shop.call("inquiryPayment", paymentRequestId="R1")
    assert "transactions" not in found
    assert code_of(await shop.call("inquiryRefund", refundId=request.dispute_id))[0] == "REFUND_NOT_EXIST"
    refund = await shop.call(
        "refund",
        paymentId=found["paymentId"],
        refundRequestId="F1",
        refundAmount={"currency": "EUR", "value": "1"},
    )
    assert code_of(refund) == ("REFUND_AMOUNT_EXCEED", "F")
    assert f"dispute {request.dispute_id} has 12.50 EUR" in refund["result"]["resultMessage"]


async def test_a_merchant_defends_with_a_document(shop: Shop) -> None:
    request = AlipaySupplyDefenseDocumentRequest()
    request.dispute_id = await disputed(shop)
    request.dispute_evidence = base64.b64encode(PDF + b"x" * 700_000).decode()
    before = await aside(money_moved)
    answer = AlipaySupplyDefenseDocumentResponse(json.dumps(await shop.execute(request)))
    assert (answer.result.result_code, answer.dispute_id) == ("SUCCESS", request.dispute_id)
    assert answer.dispute_resolution_time
    assert code_of(await shop.execute(request)) == ("REPEAT_REQUEST", "F")
    assert await aside(count, "acquiring_dispute_document") == 2
    assert await aside(money_moved) == before


@pytest.mark.parametrize(
    ("evidence", "why"),
    [
        ("", "empty"),
        ("not base64!", "Base64"),
        (base64.b64encode(b"#!/bin/sh").decode(), "PDF"),
        (base64.b64encode(PDF + b"x" * 750_000).decode(), "maximum"),
    ],
)
async def test_a_document_that_is_none_is_refused_by_name(shop: Shop, evidence: str, why: str) -> None:
    dispute = await disputed(shop)
    answer = await shop.call("supplyDefenseDocument", disputeId=dispute, disputeEvidence=evidence)
    assert code_of(answer) == ("PARAM_ILLEGAL", "F")
    assert "disputeEvidence" in answer["result"]["resultMessage"]
    assert why in answer["result"]["resultMessage"]
    assert await aside(count, "acquiring_dispute_document") == 1
    await aside(assert_open, dispute)


def assert_open(dispute: str) -> None:
    [found] = acquiring.decode_disputes(read(acquiring.disputes_named(UUID(dispute))))
    assert found.state is acquiring.DisputeState.OPEN


async def test_a_body_too_large_for_a_document_is_refused_and_one_for_other_operations_is_not_larger(
    shop: Shop,
) -> None:
    dispute = await disputed(shop)
    large = await shop.call("supplyDefenseDocument", disputeId=dispute, disputeEvidence="A" * 1_100_000)
    assert code_of(large) == ("PARAM_ILLEGAL", "F")
    other = await shop.call("acceptDispute", disputeId=dispute, note="A" * 300_000)
    assert code_of(other) == ("PARAM_ILLEGAL", "F")
    await aside(assert_open, dispute)


@pytest.mark.parametrize("kind", ["DISPUTE_EVIDENCE_FILE", "FILE"])
async def test_the_claimants_document_is_read_back(shop: Shop, kind: str) -> None:
    request = AlipayDownloadDisputeEvidenceRequest()
    request.dispute_id = await disputed(shop)
    body = {"disputeId": request.dispute_id, "disputeEvidenceType": kind}
    answer = await shop.call("downloadDisputeEvidence", **body)
    assert code_of(answer) == ("SUCCESS", "S")
    assert base64.b64decode(answer["disputeEvidence"]) == PDF
    assert answer["disputeEvidenceFormat"] == "PDF"
    for other in ("DISPUTE_EVIDENCE_TEMPLATE", "DISPUTE_EVIDENCE_AI", "AI"):
        body["disputeEvidenceType"] = other
        assert code_of(await shop.call("downloadDisputeEvidence", **body)) == ("RECORD_NOT_FOUND", "F")
    body["disputeEvidenceType"] = "SECRETS"
    assert code_of(await shop.call("downloadDisputeEvidence", **body)) == ("PARAM_ILLEGAL", "F")


async def test_a_dispute_is_nobody_elses(shop: Shop) -> None:
    dispute = await disputed(shop)
    before = await aside(money_moved)
    document = base64.b64encode(PDF).decode()
    for name, more in (
        ("acceptDispute", {}),
        ("supplyDefenseDocument", {"disputeEvidence": document}),
        ("downloadDisputeEvidence", {"disputeEvidenceType": "DISPUTE_EVIDENCE_FILE"}),
    ):
        for client, named in ((OTHER_CLIENT, dispute), (None, new_id().hex), (None, "no id")):
            given = {"disputeId": named, **more}
            answer = await (shop.call(name, client, **given) if client else shop.call(name, **given))
            assert code_of(answer) == ("RECORD_NOT_FOUND", "F")
            assert "disputeEvidence" not in answer
    assert await aside(money_moved) == before


@pytest.mark.parametrize(
    ("won", "event", "judged"),
    [
        (None, "DISPUTE_CREATED", None),
        (False, "DISPUTE_JUDGED", "ACCEPT_BY_MERCHANT"),
        (True, "DISPUTE_JUDGED", "ACCEPT_BY_CUSTOMER"),
    ],
)
async def test_the_official_class_reads_the_notification(
    shop: Shop, won: bool | None, event: str, judged: str | None
) -> None:
    dispute_id = UUID(await disputed(shop))

    def body() -> bytes:
        [found] = acquiring.decode_disputes(read(acquiring.disputes_named(dispute_id)))
        if won is not None:
            command = flows.JudgeDispute(
                merchant_id=found.merchant_id, payment_id=found.payment_id, dispute_id=found.id, won=won
            )
            flows.execute([command], now(), flows.Desk(5))
            [found] = acquiring.decode_disputes(read(acquiring.disputes_named(dispute_id)))
        key = (found.merchant_id, found.payment_id)
        [payment] = acquiring.decode_payments(read(acquiring.payments_by_id([key])))
        return dispute_body(found, payment, event)

    sent = (await aside(body)).decode()
    told = AlipayDisputeNotify(sent)
    assert (told.dispute_id, told.payment_request_id) == (dispute_id.hex, "R1")
    assert (told.dispute_reason_code, told.dispute_reason_msg) == ("4853", "not as described")
    raw = json.loads(sent)
    assert (raw["disputeNotificationType"], raw.get("disputeJudgedResult")) == (event, judged)
    assert (raw["disputeType"], raw["defendable"]) == ("CHARGEBACK", won is None)
    assert raw["disputeAmount"] == {"currency": "EUR", "value": "1250"}
    assert raw.get("disputeJudgedAmount") == (raw["disputeAmount"] if judged else None)
