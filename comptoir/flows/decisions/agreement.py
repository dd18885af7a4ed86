"""Agreements to debit without asking each time: asked for, approved or declined, given tokens, ended.

A merchant's record and the wallet's have one id and change together. What is paid under an agreement is
decided in `pay` and `charge`, like every payment.
"""

from __future__ import annotations

from msgspec.structs import replace

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import (
    AgreementEnd,
    AgreementState,
    AgreementView,
    SubscriptionState,
    SubscriptionView,
)
from comptoir.flows.decisions.charge import customer_ref
from comptoir.flows.engine.decision import AgreementEvent, Decision, SubscriptionEvent, refuse
from comptoir.flows.engine.world import World
from comptoir.flows.types import (
    OK,
    ApplyToken,
    ApproveAgreement,
    DeclineAgreement,
    EndAgreement,
    OpenAgreement,
    Outcome,
    RevokeToken,
)
from comptoir.kernel.errors import ComptoirError, InvariantBroken
from comptoir.wallet import api as wallet


def open_agreement(command: OpenAgreement, world: World) -> Decision:
    """Put up the page on which a traveller may approve. Nothing may be debited yet."""
    known = world.agreement_of(command)
    if known is not None:
        return _stands(known)
    try:
        merchant = acquiring.rules.check_active(world.merchants.get(command.merchant_id))
        if command.sandbox or merchant.sandbox:
            raise acquiring.Refused("no agreement is simulated", code=acquiring.errors.NOT_SIMULATED)
    except ComptoirError as error:
        return refuse(error.code, error.message, field=error.field)
    return _changed(
        AgreementView(
            id=command.id,
            merchant_id=command.merchant_id,
            client_ref=command.client_ref,
            consent_code=command.consent_code,
            state=AgreementState.OPEN,
            state_ref=command.state_ref,
            method_type=command.method_type,
            redirect_url=command.redirect_url,
            created_at=world.now,
            expires_at=world.now + acquiring.rules.CONSENT_TIME,
            grant_hash=command.grant_hash,
            auth_client_ref=command.auth_client_ref,
            notify_url=command.notify_url,
        )
    )


def approve(command: ApproveAgreement, world: World) -> Decision:
    """The first wallet that approves is the one that will be debited; its limits are fixed now."""
    agreement = world.agreement_of(command)
    purse = world.wallets.get(command.wallet_id)
    if agreement is None:
        return refuse(acquiring.errors.AGREEMENT_UNKNOWN, "nothing is asked under this code", field="code")
    if purse is None or purse.state is not wallet.WalletState.ACTIVE:
        return refuse(wallet.errors.WALLET_INACTIVE, "the wallet is not active")
    if (
        agreement.state in (AgreementState.APPROVED, AgreementState.ACTIVE)
        and agreement.wallet_id == purse.id
    ):
        return _stands(agreement)
    if agreement.state is not AgreementState.OPEN or world.now >= agreement.expires_at:
        return refuse(acquiring.errors.AGREEMENT_CLOSED, "this is not asked any more")
    subscription = world.subscription_of(command)
    at_once, a_day = command.payment_limit, command.day_limit
    if subscription is not None:
        # What is charged was agreed to the cent, so the wallet's own limits are enough unless told otherwise.
        at_once = purse.payment_limit if at_once is None else at_once
        a_day = purse.day_limit if a_day is None else a_day
    limits = wallet.agreement_limits(purse, at_once, a_day)
    if limits is None:
        return refuse(
            wallet.errors.AGREEMENT_LIMITS, "limits rise: 0, at once, on a day, up to the wallet's own"
        )
    approved = replace(
        agreement,
        state=AgreementState.APPROVED,
        wallet_id=purse.id,
        customer_ref=customer_ref(purse.id, agreement.merchant_id),
        grant_expires_at=world.now + acquiring.rules.AUTH_CODE_TIME,
    )
    own = wallet.AgreementView(
        id=agreement.id,
        wallet_id=purse.id,
        merchant_id=agreement.merchant_id,
        payee=world.merchants[agreement.merchant_id].name,
        payment_limit=limits[0],
        day_limit=limits[1],
        state=wallet.AgreementState.ACTIVE,
        created_at=world.now,
    )
    if subscription is None:
        return _changed(approved, own)
    begun = replace(subscription, state=SubscriptionState.ACTIVE, next_at=subscription.start_at)
    return replace(
        _changed(replace(approved, state=AgreementState.ACTIVE), own),
        subscription=begun,
        subscription_event=SubscriptionEvent.CREATE,
    )


def decline(command: DeclineAgreement, world: World) -> Decision:
    """The traveller refused: nobody can approve this any more. Repeating it gets the same answer."""
    agreement = world.agreement_of(command)
    if agreement is None:
        return refuse(acquiring.errors.AGREEMENT_UNKNOWN, "nothing is asked under this code", field="code")
    if agreement.state is AgreementState.DECLINED:
        return _stands(agreement)
    if agreement.state is not AgreementState.OPEN:
        return refuse(acquiring.errors.AGREEMENT_CLOSED, "this is not asked any more")
    return _changed(replace(agreement, state=AgreementState.DECLINED))


def apply_token(command: ApplyToken, world: World) -> Decision:
    """One grant makes one pair of tokens, in place of any before. A repeat of the newest brings it again."""
    agreement = world.agreement_of(command)
    active = agreement is not None and agreement.state is AgreementState.ACTIVE
    if active and agreement is not None and agreement.access_hash == command.access_hash:
        return _stands(agreement)
    if command.refresh:
        reason = acquiring.rules.refresh_refusal(agreement, command.grant_hash, world.now)
    else:
        reason = acquiring.rules.auth_code_refusal(agreement, world.now)
    if agreement is None or reason is not None:
        return refuse(reason or acquiring.errors.AUTH_CODE_INVALID)
    tokens = replace(
        agreement,
        state=AgreementState.ACTIVE,
        grant_hash=command.grant_hash,
        grant_expires_at=None,
        access_hash=command.access_hash,
        access_expires_at=world.now + acquiring.rules.ACCESS_TIME,
        refresh_hash=command.refresh_hash,
        refresh_expires_at=world.now + acquiring.rules.REFRESH_TIME,
    )
    return _changed(tokens, event=None if command.refresh else AgreementEvent.TOKEN_CREATED)


def revoke_token(command: RevokeToken, world: World) -> Decision:
    """The merchant ends the agreement; an access token that has expired still names it."""
    agreement = world.agreement_of(command)
    if agreement is None:
        return refuse(acquiring.errors.ACCESS_TOKEN_INVALID)
    return ended(agreement, AgreementEnd.MERCHANT, world)


def end_agreement(command: EndAgreement, world: World) -> Decision:
    """The traveller ends the agreement."""
    agreement = world.agreement_of(command)
    if agreement is None:
        return refuse(wallet.errors.AGREEMENT_UNKNOWN, "the wallet has no such agreement")
    subscription = world.subscription_of(command)
    if subscription is None or agreement.state is AgreementState.ENDED:
        return ended(agreement, AgreementEnd.TRAVELLER, world)
    over = over_with(subscription, SubscriptionState.TERMINATED, world)
    return replace(
        ended(agreement, AgreementEnd.TRAVELLER, world),
        subscription=over,
        subscription_event=SubscriptionEvent.TERMINATE,
    )


def over_with(subscription: SubscriptionView, state: SubscriptionState, world: World) -> SubscriptionView:
    """A subscription as it stands once nothing more will be charged."""
    return replace(subscription, state=state, next_at=None, ended_at=world.now)


def ended(agreement: AgreementView, by: AgreementEnd, world: World) -> Decision:
    """Ended for good; whoever ends it again gets the same answer."""
    if agreement.state is AgreementState.ENDED:
        return _stands(agreement)
    own = world.wallet_agreements.get(agreement.id)
    if own is None:
        raise InvariantBroken(f"agreement {agreement.id.hex} has no wallet's side")
    over = replace(agreement, state=AgreementState.ENDED, ended_at=world.now, ended_by=by)
    theirs = replace(own, state=wallet.AgreementState.ENDED, ended_at=world.now)
    had_tokens = agreement.access_hash is not None
    return _changed(over, theirs, AgreementEvent.TOKEN_CANCELED if had_tokens else None)


def _stands(agreement: AgreementView) -> Decision:
    """It is so already."""
    return Decision(outcome=Outcome(code=OK, agreement=agreement))


def _changed(
    agreement: AgreementView, own: wallet.AgreementView | None = None, event: AgreementEvent | None = None
) -> Decision:
    return Decision(
        outcome=Outcome(code=OK, agreement=agreement),
        agreement=agreement,
        wallet_agreement=own,
        agreement_event=event,
    )
