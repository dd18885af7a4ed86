"""Charging a wallet: price, the wallet's word, postings. Shared by codes, orders and confirmations."""

from __future__ import annotations

from uuid import UUID

import msgspec
from msgspec.structs import replace

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import (
    CaptureMode,
    CaptureView,
    MerchantView,
    PaymentState,
    PaymentView,
    StepState,
)
from comptoir.flows.decisions.price import price_for
from comptoir.flows.engine import hold_legs
from comptoir.flows.engine.decision import Decision, payment_legs, whole
from comptoir.flows.engine.risk import counted, judge
from comptoir.flows.engine.world import World
from comptoir.flows.types import IN_PROCESS, OK, Outcome
from comptoir.fx import api as fx
from comptoir.kernel.clock import china_day
from comptoir.kernel.errors import ComptoirError
from comptoir.kernel.ids import derived_id, new_id
from comptoir.risk import api as risk
from comptoir.wallet import api as wallet
from comptoir.wallet.api import AuthorizationState, AuthorizationView, Verdict, WalletView


class Offer(msgspec.Struct, frozen=True):
    """What a wallet is asked for one payment: the payment with its price, and the authorization.

    `quote` is to be stored; None when it was stored as it was asked for.
    """

    payment: PaymentView
    authorization: AuthorizationView
    quote: fx.Quote | None


def current(payment: PaymentView) -> Outcome:
    """The outcome that a payment's state means."""
    match payment.state:
        case PaymentState.SUCCESS:
            code = OK
        case PaymentState.PROCESSING:
            code = IN_PROCESS
        case PaymentState.CANCELLED:
            code = "acquiring.payment_cancelled"
        case PaymentState.FAIL:
            code = payment.failure_code or "acquiring.failed"
    return Outcome(code=code, payment=payment)


def offer(
    payment: PaymentView,
    purse: WalletView,
    merchant: MerchantView,
    world: World,
    agreement: wallet.AgreementView | None = None,
    device: int | None = None,
) -> Offer:
    """Price a payment for a wallet (whose `device` was scanned). Raises fx errors; nothing is decided yet.

    No real wallet is ever asked for a test merchant's payment. Raises Refused.
    """
    if merchant.sandbox:
        raise acquiring.Refused("no wallet pays a test merchant", code=acquiring.errors.SANDBOX_MISMATCH)
    margin_bps = next(
        c.margin_bps for c in merchant.contracts if c.settlement_currency == payment.settlement.currency
    )
    quote = price_for(payment, purse.currency, margin_bps, world)
    parts = fx.split(payment.amount, quote)
    authorization = AuthorizationView(
        id=new_id(),
        wallet_id=purse.id,
        merchant_id=payment.merchant_id,
        payment_id=payment.id,
        payee=payee(payment, merchant),
        total=parts.total,
        margin=parts.margin_part.minor,
        charge=payment.amount,
        price=quote.price,
        quote_id=quote.id,
        state=AuthorizationState.WAITING,
        created_at=world.now,
        expires_at=payment.expires_at,
        spent_on=china_day(world.now),
        agreement_id=agreement.id if agreement else None,
        device=device,
    )
    priced = replace(
        payment,
        issuer=wallet.OWN_ISSUER,
        wallet_id=purse.id,
        authorization_id=authorization.id,
        wallet_total=parts.total,
        wallet_margin=parts.margin_part,
        quote_id=quote.id,
        quote_price=quote.price,
        quote_from=quote.created_at,
        quote_until=quote.expires_at,
        customer_ref=customer_ref(purse.id, payment.merchant_id),
    )
    return Offer(priced, authorization, quote if payment.asked_quote_id is None else None)


def charge(
    payment: PaymentView,
    purse: WalletView,
    world: World,
    *,
    code_use: wallet.CodeUse | None = None,
    agreement: wallet.AgreementView | None = None,
) -> Decision:
    """A good code was presented: pay at once if wallet and rules let so little go, or wait for the traveller.

    Under an agreement nobody is asked: it pays at once, or fails. The rules are asked last: what the wallet
    refuses anyway is no matter of theirs.
    """
    device = code_use.device_number if code_use else None
    try:
        asked = offer(payment, purse, world.merchants[payment.merchant_id], world, agreement, device)
    except ComptoirError as error:
        return failed(payment, error.code, world, code_use=code_use)
    total = asked.authorization.total
    if agreement is not None:
        verdict = wallet.decide_unasked(purse, agreement, total)
    else:
        verdict = wallet.decide(purse, total, confirmed=False)
    if isinstance(verdict, str):
        return failed(asked.payment, verdict, world, code_use=code_use, quote=asked.quote)
    action, line = judge(asked.payment, device, risk.Stage.PAY, world)
    if action is risk.Action.REFUSE or (action is risk.Action.ASK_PIN and agreement is not None):
        return failed(
            asked.payment,
            risk.errors.REFUSED,
            world,
            code_use=code_use,
            quote=asked.quote,
            authorization=ended(asked.authorization, AuthorizationState.REFUSED, world),
            line=line,
        )
    if verdict is Verdict.WAIT or action is risk.Action.ASK_PIN:
        return Decision(
            outcome=Outcome(code=IN_PROCESS, payment=asked.payment),
            payment=asked.payment,
            authorization=asked.authorization,
            quote=asked.quote,
            code_use=code_use,
            entry=line,
        )
    refused = failed(
        asked.payment,
        wallet.errors.BALANCE_INSUFFICIENT,
        world,
        code_use=code_use,
        quote=asked.quote,
        line=line,
    )
    return paid(
        asked.payment,
        asked.authorization,
        world,
        code_use=code_use,
        quote=asked.quote,
        line=line,
        if_refused=refused,
    )


def paid(
    payment: PaymentView,
    authorization: AuthorizationView,
    world: World,
    *,
    if_refused: Decision,
    code_use: wallet.CodeUse | None = None,
    quote: fx.Quote | None = None,
    approved: int = 0,
    line: risk.Entry | None = None,
) -> Decision:
    """The wallet pays, or holds what is to be captured, if the books let it.

    `approved`: how much the traveller agreed to with the PIN, in minor units.
    """
    today = china_day(world.now)
    done = replace(payment, state=PaymentState.SUCCESS, finished_at=world.now)
    parts = whole(payment, authorization)
    capture = None
    if payment.capture_mode is CaptureMode.MANUAL:
        expires_at = world.now + acquiring.rules.AUTHORIZATION_LIFE
        done = replace(done, hold_id=done.id, auth_expires_at=expires_at)
        transfers, state = hold_legs.hold(done, parts, done.id), AuthorizationState.HELD
    else:
        transfers, state = payment_legs(done, parts), AuthorizationState.AUTHORISED
        if payment.capture_mode is CaptureMode.AUTOMATIC:
            done, capture = _captured_at_once(done, world)
    return Decision(
        outcome=Outcome(code=OK, payment=done),
        transfers=transfers,
        payment=done,
        capture=capture,
        authorization=replace(
            authorization, state=state, decided_at=world.now, spent_on=today, approved=approved
        ),
        quote=quote,
        code_use=code_use,
        spending=wallet.Spending(authorization.wallet_id, today, authorization.total.minor),
        entry=line,
        counts=counted(done, world, authorization.phone),
        notify=True,
        if_refused=if_refused,
    )


def _captured_at_once(payment: PaymentView, world: World) -> tuple[PaymentView, CaptureView]:
    """An authorization that nobody has to capture: the whole is, under an id of ours."""
    capture_id = new_id()
    share = acquiring.rules.whole_shares(payment)
    done = CaptureView(
        id=capture_id,
        merchant_id=payment.merchant_id,
        payment_id=payment.id,
        client_ref=payment.client_ref,
        request_ref=capture_id.hex,
        input_hash=acquiring.rules.step_hash(payment.id.hex, payment.amount),
        amount=payment.amount,
        state=StepState.SUCCESS,
        created_at=world.now,
        wallet_amount=payment.wallet_total,
        wallet_margin=payment.wallet_margin,
        settlement=payment.settlement,
    )
    captured = replace(
        payment,
        captured=payment.amount.minor,
        wallet_captured=share.mid + share.margin,
        margin_captured=share.margin,
        settlement_captured=share.settlement,
    )
    return captured, done


def ended(
    authorization: AuthorizationView | None, state: AuthorizationState, world: World
) -> AuthorizationView | None:
    """An authorization that still waits for its traveller, as it stands once ended; None for any other."""
    if authorization is None or authorization.state is not AuthorizationState.WAITING:
        return None
    return replace(authorization, state=state, decided_at=world.now)


def failed(
    payment: PaymentView,
    code: str,
    world: World,
    *,
    code_use: wallet.CodeUse | None = None,
    quote: fx.Quote | None = None,
    authorization: AuthorizationView | None = None,
    line: risk.Entry | None = None,
) -> Decision:
    """The payment ends without money having moved; its request id keeps this answer."""
    over = replace(payment, state=PaymentState.FAIL, failure_code=code, finished_at=world.now)
    return Decision(
        outcome=current(over),
        payment=over,
        authorization=authorization,
        code_use=code_use,
        quote=quote,
        entry=line,
        notify=True,
    )


def payee(payment: PaymentView, merchant: MerchantView) -> str:
    """Whom the traveller reads to have paid: the shop's own name for the store, else the merchant's."""
    return str(payment.details.get("storeName") or merchant.name)[:256]


def customer_ref(wallet_id: UUID, merchant_id: UUID) -> str:
    """How a merchant may know a returning customer: an id of this pair only, of no use to anybody else."""
    return derived_id("customer", wallet_id.hex, merchant_id.hex).hex
