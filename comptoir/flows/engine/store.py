"""What a wave of decisions writes: one statement a table, whatever the number of decisions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from comptoir.acquiring import api as acquiring
from comptoir.db.outbox import OutboxItem, enqueue
from comptoir.flows.engine.decision import Decision
from comptoir.flows.engine.desk import Desk
from comptoir.flows.topics import (
    NOTIFY_AGREEMENT,
    NOTIFY_AMOUNT,
    NOTIFY_CAPTURE,
    NOTIFY_DISPUTE,
    NOTIFY_PAYMENT,
    NOTIFY_REFUND,
    NOTIFY_SUBSCRIPTION,
)
from comptoir.fx import api as fx
from comptoir.kernel.ids import new_id
from comptoir.kernel.statements import Statement
from comptoir.risk import api as risk
from comptoir.wallet import api as wallet

#: What a merchant is told about.
_Record = acquiring.PaymentView | acquiring.RefundView | acquiring.CaptureView | acquiring.AmountUpdateView


def statements(
    decisions: Sequence[Decision], desk: Desk, now: datetime, request_ids: Sequence[str]
) -> list[Statement]:
    """Everything these decisions record, apart from the postings. `request_ids` belong to them, one each."""
    work: list[Statement] = []
    if quotes := desk.to_store(d.quote for d in decisions if d.quote):
        work.append(fx.store_quotes(quotes))
    if payments := [d.payment for d in decisions if d.payment]:
        work.append(acquiring.store_payments(payments))
    if refunds := [d.refund for d in decisions if d.refund]:
        work.append(acquiring.store_refunds(refunds))
    if captures := [c for d in decisions for c in (d.capture, d.given_back) if c]:
        work.append(acquiring.store_captures(captures))
    if updates := [d.update for d in decisions if d.update]:
        work.append(acquiring.store_amount_updates(updates))
    if taken := [d.taken for d in decisions if d.taken]:
        work.append(wallet.store_wallet_captures(taken))
    if authorizations := [a for d in decisions for a in (d.replaced, d.authorization) if a]:
        work.append(wallet.store_authorizations(authorizations))
    if uses := [d.code_use for d in decisions if d.code_use]:
        work.extend(wallet.spend_codes(uses))
    work.extend(wallet.count_bad_code(d.bad_device, now) for d in decisions if d.bad_device is not None)
    if spent := [d.spending for d in decisions if d.spending]:
        work.append(wallet.add_spending(spent))
    if returned := [d.give_back for d in decisions if d.give_back]:
        work.append(wallet.give_back_spending(returned))
    if credits := [d.credit for d in decisions if d.credit]:
        work.append(wallet.store_credits(credits))
    if agreements := [d.agreement for d in decisions if d.agreement]:
        work.append(acquiring.store_agreements(agreements))
    if agreed := [d.wallet_agreement for d in decisions if d.wallet_agreement]:
        work.append(wallet.store_agreements(agreed))
    if subscriptions := [d.subscription for d in decisions if d.subscription]:
        work.append(acquiring.store_subscriptions(subscriptions))
    if changes := [d.subscription_change for d in decisions if d.subscription_change]:
        work.append(acquiring.store_subscription_changes(changes))
    if charged := [d.subscription_payment for d in decisions if d.subscription_payment]:
        work.append(acquiring.store_subscription_payments(charged))
    if disputes := [d.dispute for d in decisions if d.dispute]:
        work.append(acquiring.store_disputes(disputes))
    if papers := [(d.dispute, d.document) for d in decisions if d.dispute and d.document]:
        work.append(acquiring.store_documents(papers, now))
    entries, counts = [d.entry for d in decisions if d.entry], [c for d in decisions for c in d.counts]
    work.extend(risk.record(entries, counts, desk.rules.counting))
    if conflicts := [d.conflict for d in decisions if d.conflict]:
        work.append(acquiring.store_conflicts(conflicts))
    asked = zip(decisions, request_ids, strict=True)
    items = [
        item
        for d, request_id in asked
        for item in (
            *_notices(d, now, request_id),
            *_agreement_notices(d, now, request_id),
            _dispute_notice(d, now, request_id),
            _task(d, request_id),
        )
        if item
    ]
    if items:
        work.append(enqueue(items))
    return work


def _task(decision: Decision, request_id: str) -> OutboxItem | None:
    """What the worker is to see to, filed under the merchant whose payment it is about."""
    about = decision.payment or decision.refund or decision.outcome.payment
    if decision.task is None or about is None:
        return None
    task = decision.task
    payload = _asked_by(request_id)
    return OutboxItem(new_id(), about.merchant_id, task.topic, task.subject_id, payload, task.due_at)


def _notices(decision: Decision, now: datetime, request_id: str) -> list[OutboxItem]:
    """The notifications that final outcomes owe the merchant, if it told us where to.

    Captures, changes of an amount, and refunds that people made by hand are told where their payment is.
    """
    told: list[tuple[str, _Record, str | None]] = []
    paid = decision.outcome.payment
    url = paid.notify_url if paid else None
    if decision.notify and decision.refund is not None:
        by_hand = decision.refund.client_ref == acquiring.STAFF
        told.append((NOTIFY_REFUND, decision.refund, url if by_hand else decision.refund.notify_url))
    elif decision.notify and decision.payment is not None:
        told.append((NOTIFY_PAYMENT, decision.payment, decision.payment.notify_url))
    if decision.capture is not None:
        told.append((NOTIFY_CAPTURE, decision.capture, url))
    if decision.update is not None:
        told.append((NOTIFY_AMOUNT, decision.update, url))
    return [
        OutboxItem(
            new_id(),
            one.merchant_id,
            topic,
            one.id,
            {"url": where, "client_ref": _machine(one, paid)} | _asked_by(request_id),
            now,
        )
        for topic, one, where in told
        if where
    ]


def _machine(about: _Record, paid: acquiring.PaymentView | None) -> str:
    """Whose notification it is: the client's that asked; of what was asked for by hand, the payment's."""
    return paid.client_ref if paid is not None and about.client_ref == acquiring.STAFF else about.client_ref


def _asked_by(request_id: str) -> dict[str, str]:
    """The request that an item comes from, for whoever follows it through logs and tables."""
    return {"request_id": request_id} if request_id else {}


def _agreement_notices(decision: Decision, now: datetime, request_id: str) -> list[OutboxItem]:
    """The notifications of what became of an agreement or subscription, if the merchant told us where to."""
    told: list[tuple[str, acquiring.AgreementView | acquiring.SubscriptionView, str]] = []
    if decision.agreement and decision.agreement_event:
        told.append((NOTIFY_AGREEMENT, decision.agreement, decision.agreement_event))
    if decision.subscription and decision.subscription_event:
        told.append((NOTIFY_SUBSCRIPTION, decision.subscription, decision.subscription_event))
    return [
        OutboxItem(
            new_id(),
            one.merchant_id,
            topic,
            one.id,
            {"url": one.notify_url, "client_ref": one.client_ref, "event": event} | _asked_by(request_id),
            now,
        )
        for topic, one, event in told
        if one.notify_url
    ]


def _dispute_notice(decision: Decision, now: datetime, request_id: str) -> OutboxItem | None:
    """The notification of what happened to a dispute, where its payment's go; without an address if it has
    none. Silence loses a dispute, so the worker asks for the client's, and the event can be read back."""
    about, event, paid = decision.dispute, decision.dispute_event, decision.outcome.payment
    if about is None or event is None or paid is None:
        return None
    payload = {"client_ref": paid.client_ref, "event": event.value, **_asked_by(request_id)}
    if paid.notify_url:
        payload["url"] = paid.notify_url
    return OutboxItem(new_id(), about.merchant_id, NOTIFY_DISPUTE, about.id, payload, now)
