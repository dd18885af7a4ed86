"""A merchant undoes a whole payment."""

from __future__ import annotations

from msgspec.structs import replace

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import PaymentState, PaymentView
from comptoir.flows.decisions.capture import release
from comptoir.flows.decisions.charge import ended
from comptoir.flows.decisions.issuer import cancel_theirs, is_theirs
from comptoir.flows.engine.decision import Decision, cancel_legs, refuse, whole
from comptoir.flows.engine.risk import counted
from comptoir.flows.engine.world import World
from comptoir.flows.types import OK, Cancel, Outcome
from comptoir.kernel.clock import china_day
from comptoir.kernel.errors import InvariantBroken
from comptoir.kernel.ids import leg_id
from comptoir.wallet import api as wallet
from comptoir.wallet.api import AuthorizationState


def cancel(command: Cancel, world: World) -> Decision:
    """A paid payment is given back whole, what is held let go, an open one closed; one that failed is merely
    confirmed as over.

    Repeating it gets the same answer with the same time.
    """
    payment = world.payment_of(command)
    if payment is None:
        return refuse(acquiring.errors.PAYMENT_UNKNOWN, "no such payment")
    if payment.cancelled_at is not None:
        return Decision(outcome=Outcome(code=OK, payment=payment))
    if command.unpaid and payment.state is PaymentState.SUCCESS:
        return refuse(acquiring.errors.PAYMENT_PAID, "the payment is paid", payment=payment)
    reason = acquiring.rules.cancel_refusal(payment, world.now)
    if reason is not None:
        return refuse(reason, "this payment cannot be cancelled", payment=payment)
    if is_theirs(payment) and payment.state in (PaymentState.SUCCESS, PaymentState.PROCESSING):
        return cancel_theirs(payment, world)
    match payment.state:
        case PaymentState.SUCCESS if payment.hold_id is not None:
            let_go = release(payment, world)
            return replace(let_go, outcome=Outcome(code=OK, payment=let_go.payment))
        case PaymentState.SUCCESS:
            return _give_back(payment, world)
        case PaymentState.PROCESSING:
            closed = replace(
                payment, state=PaymentState.CANCELLED, cancelled_at=world.now, finished_at=world.now
            )
            withdrawn = ended(world.authorization_of(payment), AuthorizationState.CANCELLED, world)
            return Decision(outcome=Outcome(code=OK, payment=closed), payment=closed, authorization=withdrawn)
        case _:
            noted = replace(payment, cancelled_at=world.now)
            return Decision(outcome=Outcome(code=OK, payment=noted), payment=noted)


def _give_back(payment: PaymentView, world: World) -> Decision:
    authorization = world.authorization_of(payment)
    if authorization is None or authorization.state is not AuthorizationState.AUTHORISED:
        raise InvariantBroken(f"payment {payment.id.hex} was paid without an authorization")
    total = authorization.total
    undone = replace(payment, state=PaymentState.CANCELLED, cancelled_at=world.now)
    same_day = authorization.spent_on == china_day(world.now)
    return Decision(
        outcome=Outcome(code=OK, payment=undone),
        transfers=cancel_legs(payment, whole(payment, authorization)),
        payment=undone,
        authorization=replace(authorization, refunded=total.minor),
        credit=wallet.Credit(
            id=leg_id(payment.id, 0),
            wallet_id=authorization.wallet_id,
            kind=wallet.CreditKind.REVERSAL,
            amount=total,
            created_at=world.now,
            authorization_id=authorization.id,
            note=authorization.payee,
            charge=authorization.charge,
        ),
        give_back=wallet.Spending(authorization.wallet_id, authorization.spent_on, total.minor)
        if same_day
        else None,
        counts=counted(payment, world, authorization.phone, back=True),
        if_refused=refuse(
            acquiring.errors.MERCHANT_BALANCE,
            "the merchant's balance is too low to give it back",
            payment=payment,
        ),
    )
