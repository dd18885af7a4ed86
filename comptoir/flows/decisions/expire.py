"""A payment's time is up."""

from __future__ import annotations

from msgspec.structs import replace

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import PaymentState, PaymentView
from comptoir.flows.decisions.capture import release
from comptoir.flows.decisions.charge import current, ended, failed
from comptoir.flows.decisions.issuer import end, is_theirs
from comptoir.flows.engine.decision import Decision, refuse
from comptoir.flows.engine.world import World
from comptoir.flows.types import Expire
from comptoir.wallet.api import AuthorizationState


def expire(command: Expire, world: World) -> Decision:
    """Close a payment that is due, or let go what it holds; leave one that is not due as it is."""
    payment = world.payment_of(command)
    if payment is None:
        return refuse(acquiring.errors.PAYMENT_UNKNOWN, "no such payment")
    if payment.hold_id is not None and payment.auth_expires_at is not None:
        if world.now < payment.auth_expires_at:
            return Decision(outcome=current(payment))
        return replace(release(payment, world), notify=not payment.captured)
    due = world.now >= payment.expires_at or command.unresolved
    if payment.state is not PaymentState.PROCESSING or not due:
        return Decision(outcome=current(payment))
    return close(payment, world)


def close(payment: PaymentView, world: World) -> Decision:
    """End an open payment because nobody paid it in time; what waited for the traveller ends with it."""
    if is_theirs(payment):
        return end(payment, acquiring.errors.PAYMENT_EXPIRED, world, reverse=True)
    return failed(
        payment,
        acquiring.errors.PAYMENT_EXPIRED,
        world,
        authorization=ended(world.authorization_of(payment), AuthorizationState.EXPIRED, world),
    )
