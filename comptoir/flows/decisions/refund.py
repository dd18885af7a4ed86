"""A merchant gives money back."""

from __future__ import annotations

from msgspec.structs import replace

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import CaptureView, PaymentView, RefundState, RefundView, StepState
from comptoir.flows.decisions.issuer import is_theirs, refund_theirs
from comptoir.flows.engine.decision import Decision, Parts, refund_legs, refuse
from comptoir.flows.engine.world import World
from comptoir.flows.types import OK, REFUND_IN_PROCESS, Outcome, Refund
from comptoir.kernel.errors import InvariantBroken
from comptoir.kernel.ids import new_id
from comptoir.kernel.money import Money
from comptoir.wallet import api as wallet


def refund(command: Refund, world: World) -> Decision:
    """Give back all or part, at the payment's own rate. A known payment's refusal is kept as the answer."""
    named = command.capture_id
    asked = acquiring.rules.step_hash(command.payment_id.hex, command.amount, named.hex if named else None)
    known = world.refunds.get((command.merchant_id, command.client_ref, command.request_ref))
    payment = world.payment_of(command)
    if known is not None:
        if known.input_hash != asked:
            return refuse(acquiring.errors.REQUEST_REUSED, "the request id was used for another refund")
        return Decision(outcome=_current(known, payment))
    if payment is None:
        return refuse(acquiring.errors.PAYMENT_UNKNOWN, "no such payment", field="paymentId")
    capture = world.captures_by_id.get(named) if named else None
    if named and (capture is None or capture.payment_id != payment.id or capture.state is StepState.FAIL):
        return refuse(acquiring.errors.CAPTURE_UNKNOWN, "names no capture of this payment", field="captureId")
    opened = RefundView(
        id=new_id(),
        merchant_id=command.merchant_id,
        payment_id=payment.id,
        client_ref=command.client_ref,
        request_ref=command.request_ref,
        input_hash=asked,
        amount=command.amount,
        state=RefundState.SUCCESS,
        created_at=world.now,
        finished_at=world.now,
        reason=command.reason,
        notify_url=command.notify_url,
        capture_id=named,
        details=command.details,
    )
    days = _window_days(payment, world)
    reason = acquiring.rules.refund_refusal(payment, command.amount, days, world.now, capture)
    if reason is not None:
        return _refused(opened, payment, reason)
    if is_theirs(payment):
        refused = _refused(opened, payment, acquiring.errors.MERCHANT_BALANCE)
        return refund_theirs(opened, payment, refused, world)
    return _give_back(opened, payment, capture, world)


def _give_back(
    opened: RefundView, payment: PaymentView, capture: CaptureView | None, world: World
) -> Decision:
    authorization = world.authorization_of(payment)
    if authorization is None:
        raise InvariantBroken(f"payment {payment.id.hex} was paid without an authorization")
    due = acquiring.rules.refund_shares(payment, opened.amount)
    currency = authorization.total.currency
    parts = Parts(authorization.wallet_id, currency, due.mid, due.margin, due.settlement)
    back = Money(due.mid + due.margin, currency)
    done = replace(
        opened,
        wallet_amount=back,
        wallet_margin=Money(due.margin, currency),
        settlement=Money(due.settlement, payment.settlement.currency),
    )
    after = replace(
        payment,
        refunded=payment.refunded + opened.amount.minor,
        wallet_refunded=payment.wallet_refunded + back.minor,
        margin_refunded=payment.margin_refunded + due.margin,
        settlement_refunded=payment.settlement_refunded + due.settlement,
    )
    return Decision(
        outcome=Outcome(code=OK, refund=done, payment=after),
        transfers=refund_legs(payment, parts, opened.id),
        payment=after,
        refund=done,
        given_back=replace(capture, refunded=capture.refunded + done.amount.minor) if capture else None,
        authorization=replace(authorization, refunded=authorization.refunded + back.minor),
        credit=refund_credit(done, authorization, back, world),
        notify=True,
        if_refused=_refused(opened, payment, acquiring.errors.MERCHANT_BALANCE),
    )


def refund_credit(
    refund: RefundView, authorization: wallet.AuthorizationView, back: Money, world: World
) -> wallet.Credit | None:
    """What a refund puts into the wallet, for its statement; None when it is less than a minor unit."""
    if not back.minor:
        return None
    return wallet.Credit(
        id=refund.id,
        wallet_id=authorization.wallet_id,
        kind=wallet.CreditKind.REFUND,
        amount=back,
        created_at=world.now,
        authorization_id=authorization.id,
        note=authorization.payee,
        charge=refund.amount,
    )


def _current(refund: RefundView, payment: PaymentView | None) -> Outcome:
    """The outcome that a refund's state means."""
    open_code = REFUND_IN_PROCESS if refund.state is RefundState.PROCESSING else OK
    return Outcome(code=refund.failure_code or open_code, refund=refund, payment=payment)


def _refused(opened: RefundView, payment: PaymentView, reason: str) -> Decision:
    ended = replace(opened, state=RefundState.FAIL, failure_code=reason)
    return Decision(outcome=Outcome(code=reason, refund=ended, payment=payment), refund=ended, notify=True)


def _window_days(payment: PaymentView, world: World) -> int:
    """The refund window of the contract the payment was taken under."""
    merchant = world.merchants[payment.merchant_id]
    return next(
        c.refund_window_days
        for c in merchant.contracts
        if c.settlement_currency == payment.settlement.currency
    )
