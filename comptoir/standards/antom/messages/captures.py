"""capture, updateAmount: requests and responses."""

from __future__ import annotations

from comptoir.standards.antom.messages.shared import Amount, Result, must_be_positive
from comptoir.standards.antom.messages.wire import Max16, Message, Text64, WrongMember


class CaptureRequest(Message, frozen=True):
    """Take all or part of what was authorized. `capture_request_id` is the idempotency key."""

    capture_request_id: Text64
    payment_id: Text64
    capture_amount: Amount
    is_last_capture: bool | None = None
    capture_type: Max16 | None = None

    def __post_init__(self) -> None:
        must_be_positive(self.capture_amount, "captureAmount")
        if self.capture_type not in (None, "", "FINAL", "NON_FINAL"):
            raise WrongMember("captureType", "must be FINAL or NON_FINAL")
        if self.capture_type and self.is_last_capture not in (None, self.capture_type == "FINAL"):
            raise WrongMember("captureType", "contradicts isLastCapture")

    @property
    def last(self) -> bool:
        """Whether what is left is to be let go. Only if it is said: the next capture may be on its way."""
        return bool(self.is_last_capture) or self.capture_type == "FINAL"


class CaptureResponse(Message, frozen=True):
    """S: captured. F: refused, and nothing moved."""

    result: Result
    capture_request_id: str | None = None
    capture_id: str | None = None
    payment_id: str | None = None
    capture_amount: Amount | None = None
    capture_time: str | None = None


class UpdateAmountRequest(Message, frozen=True):
    """Make an authorized amount another one: `amount` is the new whole. Idempotent by `update_request_id`."""

    update_request_id: Text64
    payment_id: Text64
    amount: Amount

    def __post_init__(self) -> None:
        must_be_positive(self.amount, "amount")


class UpdateAmountResponse(Message, frozen=True):
    """S: held as asked. F: refused, and the amount is what it was."""

    result: Result
    update_request_id: str | None = None
    payment_id: str | None = None
    amount: Amount | None = None
