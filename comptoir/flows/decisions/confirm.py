"""A traveller acts: scans an order code, approves, or refuses."""

from __future__ import annotations

from msgspec.structs import replace

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import PaymentState, PaymentView, Scenario
from comptoir.flows.decisions.charge import current, ended, failed, offer, paid
from comptoir.flows.decisions.expire import close
from comptoir.flows.decisions.issuer import is_theirs
from comptoir.flows.engine.decision import Decision, refuse
from comptoir.flows.engine.risk import judge
from comptoir.flows.engine.world import World
from comptoir.flows.types import IN_PROCESS, Claim, Confirm, Decline, Outcome
from comptoir.fx import api as fx
from comptoir.kernel.errors import ComptoirError
from comptoir.risk import api as risk
from comptoir.wallet import api as wallet
from comptoir.wallet.api import AuthorizationState, AuthorizationView


def claim(command: Claim, world: World) -> Decision:
    """Fix wallet, rate and amount of an order. A second wallet may take over until one has paid."""
    payment = world.payment_of(command)
    purse = world.wallets.get(command.wallet_id)
    if payment is None or is_theirs(payment):
        return refuse(acquiring.errors.PAYMENT_UNKNOWN, "no order has this code", field="code")
    if purse is None or purse.state is not wallet.WalletState.ACTIVE:
        return refuse(wallet.errors.WALLET_INACTIVE, "the wallet is not active")
    if (strange := _strange_phone(command, payment, world)) is not None:
        return strange
    if payment.state is not PaymentState.PROCESSING:
        return refuse(current(payment).code, "the order is not open any more", payment=payment)
    if world.now >= payment.expires_at:
        return close(payment, world)
    before = world.authorization_of(payment)
    if before is not None and before.wallet_id == purse.id and _still_promised(before, payment, world):
        return Decision(outcome=Outcome(code=IN_PROCESS, payment=payment))
    try:
        asked = offer(payment, purse, world.merchants[payment.merchant_id], world)
    except ComptoirError as error:
        return refuse(error.code, error.message, payment=payment)
    return Decision(
        outcome=Outcome(code=IN_PROCESS, payment=asked.payment),
        payment=asked.payment,
        authorization=replace(asked.authorization, acted_on=command.device),
        replaced=ended(before, AuthorizationState.CANCELLED, world),
        quote=asked.quote,
    )


def _still_promised(authorization: AuthorizationView, payment: PaymentView, world: World) -> bool:
    """Whether it waits for its traveller at a price that holds; a session may outlive its price."""
    waiting = authorization.state is AuthorizationState.WAITING
    return waiting and payment.quote_until is not None and world.now < payment.quote_until


def confirm(command: Confirm, world: World) -> Decision:
    """The traveller approved. Refused for lack of money or by a limit, it stays open until it expires.

    The rules are asked again: others may have paid since the code was scanned. Their refusal is final for
    a scanned code; an order is free for another wallet. Repeating gets the same answer.
    """
    known = world.authorizations.get(command.authorization_id)
    if known and known.wallet_id == command.wallet_id and known.state is AuthorizationState.REFUSED:
        return Decision(outcome=Outcome(code=risk.errors.REFUSED, payment=world.payment_of(command)))
    authorization, payment, closed = _waiting(command, world)
    if closed is not None or authorization is None or payment is None:
        return closed or refuse(wallet.errors.AUTHORIZATION_UNKNOWN, "nothing waits under this id")
    if (strange := _strange_phone(command, payment, world)) is not None:
        return strange
    if payment.quote_until is None or world.now >= payment.quote_until:
        return refuse(fx.errors.QuoteExpired.code, "the price is no longer promised", payment=payment)
    verdict = wallet.decide(world.wallets[command.wallet_id], authorization.total, confirmed=True)
    if isinstance(verdict, str):
        return refuse(verdict, "the wallet does not allow this payment", payment=payment)
    if command.device is not None:
        authorization = replace(authorization, acted_on=command.device)
    action, line = judge(payment, authorization.phone, risk.Stage.CONFIRM, world)
    if action is risk.Action.REFUSE:
        refused = ended(authorization, AuthorizationState.REFUSED, world)
        return _let_go(payment, risk.errors.REFUSED, refused, world, line)
    poor = replace(
        refuse(wallet.errors.BALANCE_INSUFFICIENT, "the wallet holds too little", payment=payment), entry=line
    )
    return paid(payment, authorization, world, line=line, if_refused=poor, approved=authorization.total.minor)


def _strange_phone(command: Claim | Confirm, payment: PaymentView, world: World) -> Decision | None:
    """The refusal of what is done on a phone that was lost, removed, or never the wallet's.

    The door has looked as well; since then the holder may have removed the phone on another one.
    """
    if command.device is None:
        return None
    reason = wallet.device_refusal(world.devices.get(command.device), command.wallet_id)
    return refuse(reason, "this phone is not the wallet's", payment=payment) if reason else None


def decline(command: Decline, world: World) -> Decision:
    """The traveller refused: a scanned code's payment ends, an order is free for another wallet.

    Repeating it gets the same answer.
    """
    known = world.authorizations.get(command.authorization_id)
    if known and known.wallet_id == command.wallet_id and known.state is AuthorizationState.DECLINED:
        return Decision(outcome=Outcome(code=wallet.errors.DECLINED, payment=world.payment_of(command)))
    authorization, payment, closed = _waiting(command, world)
    if closed is not None or authorization is None or payment is None:
        return closed or refuse(wallet.errors.AUTHORIZATION_UNKNOWN, "nothing waits under this id")
    declined = ended(authorization, AuthorizationState.DECLINED, world)
    return _let_go(payment, wallet.errors.DECLINED, declined, world)


def _let_go(
    payment: PaymentView,
    reason: str,
    authorization: AuthorizationView | None,
    world: World,
    line: risk.Entry | None = None,
) -> Decision:
    """This wallet will not pay: a scanned code's payment ends, an order is free for another wallet."""
    if payment.scenario is Scenario.PAYMENT_CODE:
        return failed(payment, reason, world, authorization=authorization, line=line)
    free = replace(
        payment,
        issuer=None,
        wallet_id=None,
        authorization_id=None,
        wallet_total=None,
        wallet_margin=None,
        quote_id=None,
        quote_price=None,
        quote_from=None,
        quote_until=None,
        customer_ref=None,
    )
    return Decision(
        outcome=Outcome(code=reason, payment=free), payment=free, authorization=authorization, entry=line
    )


def _waiting(
    command: Confirm | Decline, world: World
) -> tuple[AuthorizationView | None, PaymentView | None, Decision | None]:
    """The authorization that waits and its payment; or the decision that ends the matter first."""
    authorization = world.authorizations.get(command.authorization_id)
    payment = world.payment_of(command)
    if authorization is None or payment is None or authorization.wallet_id != command.wallet_id:
        return None, None, None
    if authorization.state.granted and payment.authorization_id == authorization.id:
        return authorization, payment, Decision(outcome=current(payment))
    if authorization.state is not AuthorizationState.WAITING or payment.authorization_id != authorization.id:
        closed = refuse(wallet.errors.AUTHORIZATION_CLOSED, "this is not waiting any more", payment=payment)
        return authorization, payment, closed
    if payment.state is not PaymentState.PROCESSING:
        return authorization, payment, refuse(current(payment).code, "the payment has ended", payment=payment)
    if world.now >= payment.expires_at:
        return authorization, payment, close(payment, world)
    return authorization, payment, None
