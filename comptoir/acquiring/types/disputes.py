"""Values of disputes, and of answers that contradict each other."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from comptoir.kernel.money import Money


class ConflictView(msgspec.Struct, frozen=True, kw_only=True):
    """An issuer contradicted itself about a payment: first what is `recorded`, then what it `claimed`.

    Both are "succeeded" or "failed". `verdict` is what it answered when it was asked again ("unknown": it
    never did). Closed by itself when that is what is recorded, by people otherwise; nothing moves for it.
    """

    id: UUID
    merchant_id: UUID
    payment_id: UUID
    issuer: str
    recorded: str
    claimed: str
    opened_at: datetime
    verdict: str | None = None
    judged_at: datetime | None = None
    closed_at: datetime | None = None
    note: str = ""


class DisputeKind(StrEnum):
    """CHARGEBACK is about money. The other two only ask the merchant for its papers."""

    CHARGEBACK = "CHARGEBACK"
    RETRIEVAL_REQUEST = "RETRIEVAL_REQUEST"
    COMPLIANCE_REQUEST = "COMPLIANCE_REQUEST"


class DisputeState(StrEnum):
    """OPEN waits for the merchant, DEFENDED for a judgment; the others are final. LOST and ACCEPTED gave the
    money back, WON and CANCELLED let it go."""

    OPEN = "OPEN"
    DEFENDED = "DEFENDED"
    ACCEPTED = "ACCEPTED"
    WON = "WON"
    LOST = "LOST"
    CANCELLED = "CANCELLED"


class AcceptReason(StrEnum):
    """Why a dispute counts as accepted: the merchant said so, said nothing in time, or we did for it."""

    MERCHANT = "MERCHANT_ACCEPTED"
    TIMEOUT = "TIMEOUT"
    MANUAL = "MANUAL_PROCESSING_ACCEPTED"


class DocumentRole(StrEnum):
    """EVIDENCE is the claimant's, DEFENSE the merchant's."""

    EVIDENCE = "evidence"
    DEFENSE = "defense"


class DocumentFormat(StrEnum):
    """What a document is, by its first bytes; the spelling of the wire."""

    PDF = "PDF"
    WORD = "WORD"
    JPG = "JPG"


class Document(msgspec.Struct, frozen=True):
    """A document of a dispute, sealed under its id. `size` and `sha256` are those of what is inside."""

    id: UUID
    role: DocumentRole
    format: DocumentFormat
    size: int
    sha256: bytes
    sealed: bytes

    def __repr__(self) -> str:
        return f"Document({self.role.value}, {self.format.value}, {self.size} bytes)"


class DisputeView(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A claim against a payment. `amount` is in the payment's currency.

    `held`: the money is held of the merchant's, in a refund of the same id. `look_at` is when the worker has
    something to do. `changed_by` names the call that ended or defended it, so that its repeat is known.
    `ended_at` is when it was accepted, judged or cancelled.
    """

    id: UUID
    merchant_id: UUID
    payment_id: UUID
    kind: DisputeKind
    amount: Money
    reason_code: str
    reason: str
    state: DisputeState
    created_at: datetime
    due_at: datetime
    look_at: datetime | None
    held: bool = False
    accept_reason: AcceptReason | None = None
    changed_by: str = ""
    defended_at: datetime | None = None
    ended_at: datetime | None = None


#: What documents are sealed for: they are full of names, and read by few.
DOCUMENT_PURPOSE = "acquiring.dispute-document"
