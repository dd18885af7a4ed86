"""Authorizations: what a wallet holds for a merchant is captured in parts, made larger or smaller, let go."""

from __future__ import annotations

from msgspec.structs import replace

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import AmountUpdateView, CaptureView, PaymentState, PaymentView, StepState
from comptoir.flows.decisions.charge import current
from comptoir.flows.engine import hold_legs
from comptoir.flows.engine.decision import Decision, Parts, refuse
from comptoir.flows.engine.desk import settlement_at
from comptoir.flows.engine.risk import counted, judge
from comptoir.flows.engine.world import World
from comptoir.flows.types import OK, Capture, Outcome, UpdateAmount
from comptoir.fx import api as fx
from comptoir.kernel.clock import china_day
from comptoir.kernel.errors import ComptoirError, InvariantBroken
from comptoir.kernel.ids import new_id
from comptoir.kernel.money import Money, Rate
from comptoir.risk import api as risk
from comptoir.wallet import api as wallet
from comptoir.wallet.api import AuthorizationState, AuthorizationView


def capture(command: Capture, world: World) -> Decision:
    """Take all or part of what is held. A known payment's refusal is kept as the answer."""
    asked = acquiring.rules.step_hash(command.payment_id.hex, command.amount)
    known = world.captures.get((command.merchant_id, command.client_ref, command.request_ref))
    payment = world.payment_of(command)
    if known is not None:
        if known.input_hash != asked:
            return refuse(acquiring.errors.REQUEST_REUSED, "the request id was used for another capture")
        return Decision(outcome=Outcome(code=known.failure_code or OK, capture=known, payment=payment))
    if payment is None:
        return refuse(acquiring.errors.PAYMENT_UNKNOWN, "no such payment", field="paymentId")
    opened = CaptureView(
        id=new_id(),
        merchant_id=command.merchant_id,
        payment_id=payment.id,
        client_ref=command.client_ref,
        request_ref=command.request_ref,
        input_hash=asked,
        amount=command.amount,
        state=StepState.SUCCESS,
        created_at=world.now,
    )
    reason = acquiring.rules.capture_refusal(payment, command.amount, world.now)
    if reason is not None:
        over = replace(opened, state=StepState.FAIL, failure_code=reason)
        return Decision(outcome=Outcome(code=reason, capture=over, payment=payment), capture=over)
    return _take(opened, payment, world, last=command.last)


def _take(opened: CaptureView, payment: PaymentView, world: World, *, last: bool) -> Decision:
    authorization = _held(payment, world)
    currency = authorization.total.currency
    share = acquiring.rules.capture_shares(payment, opened.amount)
    total = share.mid + share.margin
    done = replace(
        opened,
        wallet_amount=Money(total, currency),
        wallet_margin=Money(share.margin, currency),
        settlement=Money(share.settlement, payment.settlement.currency),
    )
    over = last or payment.captured + opened.amount.minor == payment.amount.minor
    after = replace(
        payment,
        captured=payment.captured + opened.amount.minor,
        wallet_captured=payment.wallet_captured + total,
        margin_captured=payment.margin_captured + share.margin,
        settlement_captured=payment.settlement_captured + share.settlement,
        hold_id=None if over else done.id,
    )
    given = replace(
        authorization,
        captured=authorization.captured + total,
        state=AuthorizationState.RELEASED if over else AuthorizationState.HELD,
    )
    part = Parts(authorization.wallet_id, currency, share.mid, share.margin, share.settlement)
    taken = wallet.WalletCapture(
        id=done.id,
        wallet_id=authorization.wallet_id,
        authorization_id=authorization.id,
        amount=Money(total, currency),
        charge=done.amount,
        created_at=world.now,
    )
    return Decision(
        outcome=Outcome(code=OK, capture=done, payment=after),
        transfers=hold_legs.capture(payment, _left(payment, authorization), part, done.id, again=not over),
        payment=after,
        capture=done,
        authorization=given,
        taken=taken if total else None,
        give_back=_let_go(given, given.total.minor - given.captured, world) if over else None,
    )


def update_amount(command: UpdateAmount, world: World) -> Decision:
    """Hold more, or less, at the authorization's own rate. A known payment's refusal is kept as well."""
    asked = acquiring.rules.step_hash(command.payment_id.hex, command.amount)
    known = world.amount_updates.get((command.merchant_id, command.client_ref, command.request_ref))
    payment = world.payment_of(command)
    if known is not None:
        if known.input_hash != asked:
            return refuse(acquiring.errors.REQUEST_REUSED, "the request id was used for another change")
        return Decision(outcome=Outcome(code=known.failure_code or OK, update=known, payment=payment))
    if payment is None:
        return refuse(acquiring.errors.PAYMENT_UNKNOWN, "no such payment", field="paymentId")
    opened = AmountUpdateView(
        id=new_id(),
        merchant_id=command.merchant_id,
        payment_id=payment.id,
        client_ref=command.client_ref,
        request_ref=command.request_ref,
        input_hash=asked,
        amount=command.amount,
        before=payment.amount,
        state=StepState.SUCCESS,
        created_at=world.now,
    )
    reason = acquiring.rules.update_refusal(payment, command.amount, world.now)
    if reason is not None:
        return _unchanged(opened, payment, reason)
    quote = world.quotes.get(payment.quote_id) if payment.quote_id else None
    if quote is None:
        raise InvariantBroken(f"payment {payment.id.hex} is held without a quote")
    try:
        priced = _priced(payment, command.amount, quote)
    except ComptoirError as error:
        return _unchanged(opened, payment, error.code)
    return _change(opened, payment, priced, world)


def _priced(payment: PaymentView, amount: Money, quote: fx.Quote) -> PaymentView:
    """The payment with another amount at its own price. Raises fx errors."""
    parts = fx.split(amount, quote)
    rate = Rate(amount.currency, payment.settlement.currency, payment.settlement_price)
    return replace(
        payment,
        amount=amount,
        settlement=settlement_at(amount, rate),
        wallet_total=parts.total,
        wallet_margin=parts.margin_part,
    )


def _change(opened: AmountUpdateView, payment: PaymentView, priced: PaymentView, world: World) -> Decision:
    authorization = _held(payment, world)
    after = replace(priced, hold_id=opened.id)
    shares = acquiring.rules.whole_shares(after)
    total = Money(shares.mid + shares.margin, authorization.total.currency)
    more, line = total.minor - authorization.total.minor, None
    if more > 0:
        purse = world.wallets[authorization.wallet_id]
        reason = wallet.increase_refusal(purse, total, more, authorization.approved)
        if reason is not None:
            return _unchanged(opened, payment, reason)
        action, line = judge(after, authorization.phone, risk.Stage.UPDATE, world)
        # Nobody can be asked: beyond what the traveller approved, a rule that asks for the PIN refuses.
        unasked = action is risk.Action.ASK_PIN and total.minor > authorization.approved
        if action is risk.Action.REFUSE or unasked:
            return replace(_unchanged(opened, payment, risk.errors.REFUSED), entry=line)
    phone = authorization.phone
    parts = Parts(authorization.wallet_id, total.currency, *shares)
    released = hold_legs.release(payment, _left(payment, authorization))
    return Decision(
        outcome=Outcome(code=OK, update=opened, payment=after),
        transfers=released + hold_legs.hold(after, parts, opened.id),
        payment=after,
        update=opened,
        authorization=replace(authorization, total=total, margin=shares.margin, charge=after.amount),
        spending=wallet.Spending(authorization.wallet_id, china_day(world.now), more) if more > 0 else None,
        give_back=_let_go(authorization, -more, world),
        entry=line,
        counts=counted(payment, world, phone, back=True) + counted(after, world, phone),
        if_refused=replace(_unchanged(opened, payment, wallet.errors.BALANCE_INSUFFICIENT), entry=line),
    )


def _unchanged(opened: AmountUpdateView, payment: PaymentView, reason: str) -> Decision:
    over = replace(opened, state=StepState.FAIL, failure_code=reason)
    return Decision(outcome=Outcome(code=reason, update=over, payment=payment), update=over)


def release(payment: PaymentView, world: World) -> Decision:
    """Let go of what is held and was not captured; with nothing captured the payment is over."""
    authorization = _held(payment, world)
    freed = replace(payment, hold_id=None)
    if not payment.captured:
        freed = replace(freed, state=PaymentState.CANCELLED, cancelled_at=world.now)
    return Decision(
        outcome=current(freed),
        transfers=hold_legs.release(payment, _left(payment, authorization)),
        payment=freed,
        authorization=replace(authorization, state=AuthorizationState.RELEASED),
        give_back=_let_go(authorization, authorization.total.minor - authorization.captured, world),
        counts=() if payment.captured else counted(payment, world, authorization.phone, back=True),
    )


def _held(payment: PaymentView, world: World) -> AuthorizationView:
    authorization = world.authorization_of(payment)
    if authorization is None or authorization.state is not AuthorizationState.HELD:
        raise InvariantBroken(f"payment {payment.id.hex} is held without an authorization that holds")
    return authorization


def _left(payment: PaymentView, authorization: AuthorizationView) -> Parts:
    """What is held now: the whole, less what was captured."""
    left = (
        whole - gone
        for whole, gone in zip(
            acquiring.rules.whole_shares(payment), acquiring.rules.captured_shares(payment), strict=True
        )
    )
    return Parts(authorization.wallet_id, authorization.total.currency, *left)


def _let_go(authorization: AuthorizationView, minor: int, world: World) -> wallet.Spending | None:
    """What no longer counts towards the day's limit: money let go on the day it was counted on."""
    if minor <= 0 or authorization.spent_on != china_day(world.now):
        return None
    return wallet.Spending(authorization.wallet_id, authorization.spent_on, minor)
