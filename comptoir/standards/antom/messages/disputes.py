"""acceptDispute, supplyDefenseDocument, downloadDisputeEvidence, and notifyDispute.

Sources: docs.antom.com "Dispute" and the official SDKs, read in November 2026.
"""

from __future__ import annotations

import base64
import binascii
from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from comptoir.standards.antom.errors import ParamIllegal
from comptoir.standards.antom.messages.shared import Amount, Result
from comptoir.standards.antom.messages.wire import Message, Text64

#: The longest document, in characters of Base64.
LONGEST_EVIDENCE = 1_000_000


class DisputeEvidenceType(StrEnum):
    """Which paper is wanted. Older SDKs send the short names."""

    TEMPLATE = "DISPUTE_EVIDENCE_TEMPLATE"
    FILE = "DISPUTE_EVIDENCE_FILE"
    AI = "DISPUTE_EVIDENCE_AI"

    @classmethod
    def _missing_(cls, value: object) -> DisputeEvidenceType | None:
        return {"TEMPLATE": cls.TEMPLATE, "FILE": cls.FILE, "AI": cls.AI}.get(str(value))


class AcceptDisputeRequest(Message, frozen=True):
    """acceptDispute."""

    dispute_id: Text64


class AcceptDisputeResponse(Message, frozen=True):
    """acceptDispute answered: the time it was accepted."""

    result: Result
    dispute_id: str | None = None
    dispute_resolution_time: str | None = None


class SupplyDefenseDocumentRequest(Message, frozen=True):
    """supplyDefenseDocument: one document, in Base64."""

    dispute_id: Text64
    dispute_evidence: Annotated[str, Meta(min_length=1, max_length=LONGEST_EVIDENCE)]

    def document(self) -> bytes:
        """The document itself. Raises ParamIllegal for what is not Base64."""
        try:
            return base64.b64decode(self.dispute_evidence, validate=True)
        except (binascii.Error, ValueError):
            raise ParamIllegal("disputeEvidence is not Base64", field="disputeEvidence") from None


class SupplyDefenseDocumentResponse(Message, frozen=True):
    """supplyDefenseDocument answered: the time the document was taken."""

    result: Result
    dispute_id: str | None = None
    dispute_resolution_time: str | None = None


class DownloadDisputeEvidenceRequest(Message, frozen=True):
    """downloadDisputeEvidence."""

    dispute_id: Text64
    dispute_evidence_type: DisputeEvidenceType


class DownloadDisputeEvidenceResponse(Message, frozen=True):
    """downloadDisputeEvidence answered: the document, in Base64, and what it is."""

    result: Result
    dispute_evidence: str | None = None
    dispute_evidence_format: str | None = None


class DisputeNotification(Message, frozen=True):
    """notifyDispute. It has no result: its type says what happened to the dispute."""

    dispute_notification_type: str
    payment_request_id: str
    payment_id: str
    dispute_id: str
    dispute_time: str
    dispute_amount: Amount
    dispute_type: str
    dispute_source: str
    dispute_reason_code: str
    dispute_reason_msg: str
    defendable: bool
    defense_due_time: str
    defense_supplied_time: str | None = None
    dispute_accept_reason: str | None = None
    dispute_accept_time: str | None = None
    dispute_judged_time: str | None = None
    dispute_judged_amount: Amount | None = None
    dispute_judged_result: str | None = None
    dispute_cancelled_time: str | None = None
