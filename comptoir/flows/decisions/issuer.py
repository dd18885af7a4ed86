"""Payments by another issuer's wallet: record the intent, be asked, record the answer.

Nothing here calls anybody. An outcome's `ask` says what is to be asked once the intent is committed;
the task in the same transaction sees to it that somebody asks what became of it.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from msgspec.structs import replace

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import ConflictView, PaymentState, PaymentView, RefundState, RefundView
from comptoir.flows.decisions.charge import current, failed, payee
from comptoir.flows.engine import issuer_legs as legs
from comptoir.flows.engine.decision import Decision, Task, refuse
from comptoir.flows.engine.risk import counted, judge
from comptoir.flows.engine.world import World
from comptoir.flows.topics import ISSUER_CHECK, ISSUER_REFUND, ISSUER_RESOLVE, ISSUER_REVERSE
from comptoir.flows.types import IN_PROCESS, OK, REFUND_IN_PROCESS, Outcome, Settle, SettleRefund, Told
from comptoir.kernel.errors import InvariantBroken
from comptoir.kernel.ids import derived_id, new_id
from comptoir.kernel.money import Money
from comptoir.risk import api as risk
from comptoir.wallet.api import DEADLINE_S, AnswerState, AuthoriseRequest, RefundRequest

#: The worker begins to ask only when whoever asked first has certainly stopped waiting.
_FIRST_ASK = timedelta(seconds=DEADLINE_S + 2)


def is_theirs(payment: PaymentView) -> bool:
    """Whether another issuer pays (or is asked to)."""
    return payment.issuer is not None and payment.wallet_id is None


def open_theirs(payment: PaymentView, issuer: str, code: str, world: World) -> Decision:
    """Hold the payment, and have the issuer asked. A rule that asks for the PIN leaves that to the issuer."""
    merchant = world.merchants[payment.merchant_id]
    opened = replace(payment, issuer=issuer, authorization_id=new_id())
    action, line = judge(opened, None, risk.Stage.PAY, world)
    if action is risk.Action.REFUSE:
        return failed(opened, risk.errors.REFUSED, world, line=line)
    ask = AuthoriseRequest(
        authorization_id=_authorization(opened),
        payment_id=opened.id,
        code=code,
        charge=opened.amount,
        payee=payee(opened, merchant),
        merchant_ref=merchant.id.hex,
        mcc=merchant.mcc,
        country=merchant.country,
        expires_at=opened.expires_at,
    )
    return Decision(
        outcome=Outcome(code=IN_PROCESS, payment=opened, ask=ask),
        transfers=legs.hold(opened),
        accounts=legs.accounts(opened, issuer),
        payment=opened,
        entry=line,
        counts=counted(opened, world, None),
        task=Task(ISSUER_RESOLVE, opened.id, world.now + _FIRST_ASK),
    )


def settle(command: Settle, world: World) -> Decision:
    """The issuer answered. The first final answer counts; a success that comes too late is reversed.

    When it contradicts what it answered before, nothing moves: it is asked once more, and people see to it.
    """
    payment = world.payment_of(command)
    if payment is None or not is_theirs(payment):
        return refuse(acquiring.errors.PAYMENT_UNKNOWN, "no such payment")
    match command.answer.state, payment.state:
        case AnswerState.SUCCEEDED, PaymentState.PROCESSING:
            done = replace(
                payment,
                state=PaymentState.SUCCESS,
                finished_at=world.now,
                wallet_total=command.answer.wallet_amount,
                customer_ref=command.answer.issuer_ref,
            )
            return Decision(
                outcome=current(done), transfers=legs.post(legs.hold(payment)), payment=done, notify=True
            )
        case AnswerState.FAILED, PaymentState.PROCESSING:
            return end(payment, command.answer.code or "acquiring.failed", world)
        case state, _:
            return _after_the_end(payment, state, world)


def told(command: Told, world: World) -> Decision:
    """The issuer told us unasked. An open payment is asked about now; nothing is believed untested."""
    payment = world.payment_of(command)
    ours = payment is not None and is_theirs(payment)
    if payment is None or not ours or payment.authorization_id != command.authorization_id:
        return refuse(acquiring.errors.PAYMENT_UNKNOWN, "no such payment")
    if payment.state is PaymentState.PROCESSING:
        return Decision(outcome=current(payment), task=Task(ISSUER_RESOLVE, payment.id, world.now))
    return _after_the_end(payment, command.claims, world)


def _after_the_end(payment: PaymentView, claims: AnswerState, world: World) -> Decision:
    """A payment that is over here, and what its issuer says of it now."""
    match claims, payment.state:
        case AnswerState.SUCCEEDED, PaymentState.CANCELLED:
            return _late_success(payment, world)
        case AnswerState.SUCCEEDED, PaymentState.FAIL:
            # We ended it ourselves, or the issuer had said that it failed.
            ours = payment.failure_code == acquiring.errors.PAYMENT_EXPIRED
            return _late_success(payment, world) if ours else _contradiction(payment, claims, world)
        case AnswerState.FAILED, PaymentState.SUCCESS:
            return _contradiction(payment, claims, world)
        case _:
            return Decision(outcome=current(payment))


def _late_success(payment: PaymentView, world: World) -> Decision:
    return Decision(outcome=current(payment), task=Task(ISSUER_REVERSE, payment.id, world.now))


def _contradiction(payment: PaymentView, claims: AnswerState, world: World) -> Decision:
    """Kept once for each payment and claim, however often it is told."""
    before = AnswerState.FAILED if claims is AnswerState.SUCCEEDED else AnswerState.SUCCEEDED
    return Decision(
        outcome=current(payment),
        task=Task(ISSUER_CHECK, payment.id, world.now),
        conflict=ConflictView(
            id=derived_id("conflict", payment.id.hex, claims.value),
            merchant_id=payment.merchant_id,
            payment_id=payment.id,
            issuer=payment.issuer or "",
            recorded=before.value,
            claimed=claims.value,
            opened_at=world.now,
        ),
    )


def end(payment: PaymentView, reason: str, world: World, *, reverse: bool = False) -> Decision:
    """End an open payment without money having moved; `reverse` has the issuer undo or bar it for certain."""
    ended = replace(payment, state=PaymentState.FAIL, failure_code=reason, finished_at=world.now)
    return Decision(
        outcome=current(ended),
        transfers=legs.void(legs.hold(payment)),
        payment=ended,
        counts=counted(payment, world, None, back=True),
        notify=True,
        task=Task(ISSUER_REVERSE, payment.id, world.now) if reverse else None,
    )


def cancel_theirs(payment: PaymentView, world: World) -> Decision:
    """Undo a payment by another issuer: our books at once, the issuer by the worker until it is certain."""
    paid = payment.state is PaymentState.SUCCESS
    undone = replace(
        payment,
        state=PaymentState.CANCELLED,
        cancelled_at=world.now,
        finished_at=payment.finished_at or world.now,
    )
    return Decision(
        outcome=Outcome(code=OK, payment=undone),
        transfers=legs.cancel(payment) if paid else legs.void(legs.hold(payment)),
        payment=undone,
        counts=counted(payment, world, None, back=True),
        task=Task(ISSUER_REVERSE, payment.id, world.now),
        if_refused=refuse(
            acquiring.errors.MERCHANT_BALANCE,
            "the merchant's balance is too low to give it back",
            payment=payment,
        ),
    )


def refund_theirs(opened: RefundView, payment: PaymentView, refused: Decision, world: World) -> Decision:
    """Hold a refund, count it as given, and have the issuer asked."""
    settlement = acquiring.rules.settlement_share(payment, opened.amount)
    held = replace(
        opened,
        state=RefundState.PROCESSING,
        finished_at=None,
        settlement=Money(settlement, payment.settlement.currency),
    )
    after = replace(
        payment,
        refunded=payment.refunded + opened.amount.minor,
        settlement_refunded=payment.settlement_refunded + settlement,
    )
    ask = refund_request(held, payment)
    return Decision(
        outcome=Outcome(code=REFUND_IN_PROCESS, refund=held, payment=after, ask=ask),
        transfers=legs.hold_refund(payment, held.id, held.amount.minor, settlement),
        payment=after,
        refund=held,
        task=Task(ISSUER_REFUND, held.id, world.now + _FIRST_ASK),
        if_refused=refused,
    )


def settle_refund(command: SettleRefund, world: World) -> Decision:
    """The issuer answered about a refund: it is final, or it is taken back as if it had never been asked."""
    refund = world.refunds_by_id.get(command.refund_id)
    payment = world.payments.get(refund.payment_id) if refund else None
    if refund is None or payment is None or refund.merchant_id != command.merchant_id:
        return refuse(acquiring.errors.PAYMENT_UNKNOWN, "no such refund")
    if refund.state is not RefundState.PROCESSING:
        return Decision(outcome=Outcome(code=refund.failure_code or OK, refund=refund, payment=payment))
    settlement = refund.settlement.minor if refund.settlement else 0
    holds = legs.hold_refund(payment, refund.id, refund.amount.minor, settlement)
    match command.answer.state:
        case AnswerState.SUCCEEDED:
            done = replace(
                refund,
                state=RefundState.SUCCESS,
                finished_at=world.now,
                wallet_amount=command.answer.wallet_amount,
            )
            return Decision(
                outcome=Outcome(code=OK, refund=done, payment=payment),
                transfers=legs.post(holds),
                refund=done,
                notify=True,
            )
        case AnswerState.FAILED:
            reason = command.answer.code or "acquiring.failed"
            ended = replace(refund, state=RefundState.FAIL, failure_code=reason, finished_at=world.now)
            before = replace(
                payment,
                refunded=payment.refunded - refund.amount.minor,
                settlement_refunded=payment.settlement_refunded - settlement,
            )
            return Decision(
                outcome=Outcome(code=reason, refund=ended, payment=before),
                transfers=legs.void(holds),
                payment=before,
                refund=ended,
                notify=True,
            )
        case _:
            return Decision(outcome=Outcome(code=REFUND_IN_PROCESS, refund=refund, payment=payment))


def refund_request(refund: RefundView, payment: PaymentView) -> RefundRequest:
    """What an issuer is asked, and asked again, about a refund."""
    return RefundRequest(
        refund_id=refund.id,
        authorization_id=_authorization(payment),
        issuer_ref=payment.customer_ref or "",
        amount=refund.amount,
    )


def _authorization(payment: PaymentView) -> UUID:
    if payment.authorization_id is None:
        raise InvariantBroken(f"payment {payment.id.hex} has an issuer and no authorization")
    return payment.authorization_id
