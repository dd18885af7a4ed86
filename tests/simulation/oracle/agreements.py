"""The rules of agreements: asked for, approved, given tokens, debited, ended."""

from __future__ import annotations

from datetime import datetime, timedelta

from comptoir.acquiring.api import errors as acquiring
from comptoir.flows import api as flows
from comptoir.wallet.api import errors as wallet
from tests.simulation.oracle.kept import Kept, china_day
from tests.simulation.oracle.types import Agreement, Ask, Subscription


def open_agreement(kept: Kept, command: flows.OpenAgreement, outcome: flows.Outcome, now: datetime) -> str:
    """A merchant asks a traveller to be let debit."""
    if command.id not in kept.agreements:
        made = Agreement(command, "open", now + timedelta(minutes=30))
        kept.agreements[command.id] = kept.by_consent[command.consent_code] = made
        kept.by_grant[command.merchant_id, command.grant_hash] = made
    return flows.OK


def approve(kept: Kept, command: flows.ApproveAgreement, outcome: flows.Outcome, now: datetime) -> str:
    """A traveller agrees: the first one who does."""
    agreement, purse = kept.by_consent.get(command.consent_code), kept.purses[command.wallet_id]
    if agreement is None:
        return acquiring.AGREEMENT_UNKNOWN
    if agreement.state in ("approved", "active") and agreement.purse is purse:
        return flows.OK
    if agreement.state != "open" or now >= agreement.until:
        return acquiring.AGREEMENT_CLOSED
    once, day = command.payment_limit, command.day_limit
    if agreement.subscription is not None:  # what is charged was said: the wallet's own limits will do
        once = purse.most if once is None else once
        day = purse.day_limit if day is None else day
    once = min(purse.no_pin, purse.most) if once is None else once
    day = max(purse.most, once) if day is None else day
    if once <= 0 or day < once or once > purse.most or day > purse.day_limit:
        return wallet.AGREEMENT_LIMITS
    agreement.state, agreement.purse, agreement.once, agreement.day = "approved", purse, once, day
    agreement.until = now + timedelta(minutes=10)
    if agreement.subscription is not None:
        begin(kept, agreement.subscription)
    return flows.OK


def decline(kept: Kept, command: flows.DeclineAgreement, outcome: flows.Outcome, now: datetime) -> str:
    """A traveller does not agree."""
    agreement = kept.by_consent.get(command.consent_code)
    if agreement is None:
        return acquiring.AGREEMENT_UNKNOWN
    if agreement.state not in ("open", "declined"):
        return acquiring.AGREEMENT_CLOSED
    agreement.state = "declined"
    return flows.OK


def apply_token(kept: Kept, command: flows.ApplyToken, outcome: flows.Outcome, now: datetime) -> str:
    """A code, or a refresh token, is exchanged for tokens; what they replace is worth nothing any more."""
    agreement = kept.by_grant.get((command.merchant_id, command.grant_hash))
    if agreement is not None and agreement.state == "active" and agreement.access == command.access_hash:
        return flows.OK
    if command.refresh:
        if agreement is None or agreement.state != "active" or agreement.refresh != command.grant_hash:
            return acquiring.REFRESH_TOKEN_INVALID
    elif agreement is None or agreement.state != "approved":
        return acquiring.AUTH_CODE_INVALID
    elif now >= agreement.until:
        return acquiring.AUTH_CODE_EXPIRED
    for name in [name for name, known in kept.by_grant.items() if known is agreement]:
        del kept.by_grant[name]
    if agreement.access is not None:
        del kept.by_access[command.merchant_id, agreement.access]
    agreement.access, agreement.refresh = command.access_hash, command.refresh_hash
    kept.by_access[command.merchant_id, command.access_hash] = agreement
    for grant in (command.grant_hash, command.refresh_hash):
        kept.by_grant[command.merchant_id, grant] = agreement
    agreement.state = "active"
    if not command.refresh:
        _tell(kept, agreement, "TOKEN_CREATED")
    return flows.OK


def revoke_token(kept: Kept, command: flows.RevokeToken, outcome: flows.Outcome, now: datetime) -> str:
    """The merchant ends it."""
    agreement = kept.by_access.get((command.merchant_id, command.access_hash))
    if agreement is None:
        return acquiring.ACCESS_TOKEN_INVALID
    end(kept, agreement, now)
    return flows.OK


def end_agreement(kept: Kept, command: flows.EndAgreement, outcome: flows.Outcome, now: datetime) -> str:
    """The traveller ends it."""
    agreement = kept.agreements.get(command.agreement_id)
    if agreement is None or agreement.purse is None or agreement.purse.id != command.wallet_id:
        return wallet.AGREEMENT_UNKNOWN
    if agreement.subscription is not None and agreement.state != "ended":
        stop(kept, agreement.subscription, "terminated", "TERMINATE", now)
    end(kept, agreement, now)
    return flows.OK


def debtor(kept: Kept, command: flows.Pay) -> Agreement | None:
    """The agreement that a token stands for, or that is named, if it is in force."""
    if command.agreement_id is not None:
        named = kept.agreements.get(command.agreement_id)
        return named if named is not None and named.state == "active" else None
    agreement = kept.by_access.get((command.merchant_id, command.token_hash or b""))
    return agreement if agreement is not None and agreement.state == "active" else None


def debit_refusal(agreement: Agreement, ask: Ask, now: datetime) -> str | None:
    """Why an agreement does not let so much go, or None. What came back may be debited again that day."""
    if ask.total > agreement.once:
        return wallet.PAYMENT_LIMIT
    today = [one for one in agreement.asks if one.spent_on == china_day(now) and one.state == "authorised"]
    spent = sum(one.total - one.refunded for one in today)
    return wallet.DAY_LIMIT if spent + ask.total > agreement.day else None


def begin(kept: Kept, subscription: Subscription) -> None:
    """What was subscribed to is charged from its start on."""
    subscription.agreement.state, subscription.state = "active", "active"
    subscription.next = subscription.command.start_at
    tell(kept, subscription, "CREATE")


def stop(kept: Kept, subscription: Subscription, state: str, event: str, now: datetime) -> None:
    """Nothing more is charged."""
    subscription.state, subscription.next, subscription.ended = state, None, now
    tell(kept, subscription, event)


def tell(kept: Kept, subscription: Subscription, event: str) -> None:
    """The merchant is told what became of a subscription, if it said where to."""
    if subscription.command.agreement.notify_url:
        kept.notices.append((f"notify.subscription {event}", subscription.agreement.command.id))


def end(kept: Kept, agreement: Agreement, now: datetime) -> None:
    """It is over, for both sides."""
    if agreement.state == "ended":
        return
    agreement.state, agreement.ended = "ended", now
    if agreement.access is not None:
        _tell(kept, agreement, "TOKEN_CANCELED")


def _tell(kept: Kept, agreement: Agreement, event: str) -> None:
    if agreement.command.notify_url:
        kept.notices.append((f"notify.agreement {event}", agreement.command.id))
