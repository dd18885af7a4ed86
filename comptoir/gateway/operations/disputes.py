"""Disputes from the merchant's side: give in, defend, read the claimant's paper."""

from __future__ import annotations

import base64
from typing import Final

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import AcceptReason, DisputeView, DocumentRole
from comptoir.flows import wire
from comptoir.flows.api import OK, AcceptDispute, DefendDispute, Outcome
from comptoir.gateway.call import Call
from comptoir.gateway.operations.services import Services, id_or_none
from comptoir.gateway.results import outcome_result
from comptoir.standards.antom.messages import (
    AcceptDisputeRequest,
    AcceptDisputeResponse,
    Codec,
    DisputeEvidenceType,
    DownloadDisputeEvidenceRequest,
    DownloadDisputeEvidenceResponse,
    Result,
    SupplyDefenseDocumentRequest,
    SupplyDefenseDocumentResponse,
)
from comptoir.standards.antom.results import ResultCode

_ACCEPT: Final = Codec(AcceptDisputeRequest)
_SUPPLY: Final = Codec(SupplyDefenseDocumentRequest)
_DOWNLOAD: Final = Codec(DownloadDisputeEvidenceRequest)

_UNKNOWN: Final = Result.of(ResultCode.RECORD_NOT_FOUND, "disputeId names no dispute of this merchant")


async def accept_dispute(services: Services, call: Call) -> AcceptDisputeResponse:
    """Give in to a dispute: its money goes back. Raises ParamIllegal, and what the engine raises."""
    dispute = await _find(services, call, _ACCEPT.decode(call.body).dispute_id)
    if dispute is None:
        return AcceptDisputeResponse(result=_UNKNOWN)
    outcome = await services.submit(
        AcceptDispute(
            merchant_id=dispute.merchant_id,
            payment_id=dispute.payment_id,
            dispute_id=dispute.id,
            reason=AcceptReason.MERCHANT,
            call_id=call.request_id,
        )
    )
    return AcceptDisputeResponse(
        result=outcome_result(outcome),
        dispute_id=_id(outcome),
        dispute_resolution_time=wire.time_of(outcome.dispute.ended_at) if outcome.dispute else None,
    )


async def supply_defense_document(services: Services, call: Call) -> SupplyDefenseDocumentResponse:
    """Defend with one document: PDF, Word or JPEG. Raises ParamIllegal, and what the engine raises."""
    request = _SUPPLY.decode(call.body)
    content = request.document()
    acquiring.rules.document_format(content)
    dispute = await _find(services, call, request.dispute_id)
    if dispute is None:
        return SupplyDefenseDocumentResponse(result=_UNKNOWN)
    outcome = await services.submit(
        DefendDispute(
            merchant_id=dispute.merchant_id,
            payment_id=dispute.payment_id,
            dispute_id=dispute.id,
            document=acquiring.seal_document(content, DocumentRole.DEFENSE, dispute.id),
            call_id=call.request_id,
        )
    )
    return SupplyDefenseDocumentResponse(
        result=outcome_result(outcome),
        dispute_id=_id(outcome),
        dispute_resolution_time=wire.time_of(outcome.dispute.defended_at) if outcome.dispute else None,
    )


async def download_dispute_evidence(services: Services, call: Call) -> DownloadDisputeEvidenceResponse:
    """Read the paper that came with a dispute. There are no other papers here. Raises ParamIllegal."""
    request = _DOWNLOAD.decode(call.body)
    dispute = await _find(services, call, request.dispute_id)
    if dispute is None:
        return DownloadDisputeEvidenceResponse(result=_UNKNOWN)
    found = None
    if request.dispute_evidence_type is DisputeEvidenceType.FILE:
        wanted = acquiring.dispute_document(dispute.merchant_id, dispute.id, DocumentRole.EVIDENCE)
        [rows] = await services.read([wanted])
        found = acquiring.decode_document(rows)
    if found is None:
        missing = Result.of(ResultCode.RECORD_NOT_FOUND, "there is no such document of this dispute")
        return DownloadDisputeEvidenceResponse(result=missing)
    kind, content = found
    return DownloadDisputeEvidenceResponse(
        result=Result.of(ResultCode.SUCCESS),
        dispute_evidence=base64.b64encode(content).decode(),
        dispute_evidence_format=kind.value,
    )


async def _find(services: Services, call: Call, dispute_id: str) -> DisputeView | None:
    """The caller's dispute of this id, if there is one."""
    known = id_or_none(dispute_id)
    if known is None:
        return None
    [rows] = await services.read([acquiring.disputes_by_id([(call.client.merchant_id, known)])])
    found = acquiring.decode_disputes(rows)
    return found[0] if found else None


def _id(outcome: Outcome) -> str | None:
    done = outcome.code == OK and outcome.dispute is not None
    return outcome.dispute.id.hex if done and outcome.dispute else None
