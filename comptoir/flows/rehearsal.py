"""Risk rules over the past: what a rule set would have done, and putting one in force.

Rules know charges only; here they are gathered from what the wallet was asked, and from payments by other
issuers, in the order in which they began.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from msgspec.structs import replace

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import (
    AmountUpdateView,
    CaptureMode,
    MerchantView,
    PaymentState,
    PaymentView,
    Scenario,
    StepState,
)
from comptoir.db.run import read
from comptoir.db.snapshot import snapshot
from comptoir.flows.engine.risk import charge_of
from comptoir.ledger import api as ledger
from comptoir.risk import api as risk
from comptoir.wallet import api as wallet
from comptoir.wallet.api import AuthorizationState, AuthorizationView

#: What a wallet has paid, or held to be captured.
_PAID = (AuthorizationState.AUTHORISED, AuthorizationState.HELD, AuthorizationState.RELEASED)


def rehearse(source: risk.RuleSetSource, start: datetime, end: datetime) -> risk.Rehearsal:
    """What a rule set would have done with the charges that began from `start` until before `end`.

    Reads the past for as long before `start` as a limit may look back, in one snapshot; may run beside
    live traffic.
    """
    rules = risk.compiled(source)
    reach = max((rule.limit.window + rule.limit.grain for rule in rules if rule.limit is not None), default=0)
    with snapshot():
        return risk.rehearse(rules, past(start - timedelta(seconds=reach), end), start)


def activate_rules(source: risk.RuleSetSource, note: str, now: datetime) -> int:
    """Put a rule set in force for every gateway, from the next batch on; its version.

    Raises RulesInvalid for a merchant that nobody knows: a mistyped block would block nobody.
    """
    with transaction.atomic():
        read(ledger.lock())
        for rule in risk.compiled(source):
            named = rule.merchants | {till.partition("/")[0] for till in rule.terminals}
            unknown = sorted(named - acquiring.known_refs(named))
            if unknown:
                raise risk.RulesInvalid(
                    f"rule {rule.id}: there is no merchant {unknown[0]}", field="merchants"
                )
        return risk.activate(source, note, now)


def past(start: datetime, end: datetime) -> Iterator[risk.Past]:
    """Every charge that began from `start` until before `end`, in that order."""
    shops = _Shops()
    ours = (_ours(*asked, shops) for asked in _with_payments(start, end))
    theirs = (_theirs(one, shops) for one in acquiring.payments_of_others(start, end))
    return heapq.merge(ours, theirs, key=lambda one: one.begun_at)


class _Shops:
    """Merchants, each loaded once."""

    def __init__(self) -> None:
        self._known: dict[UUID, MerchantView] = {}

    def __getitem__(self, merchant_id: UUID) -> MerchantView:
        if merchant_id not in self._known:
            self._known.update(acquiring.decode_merchants(read(acquiring.merchants([merchant_id]))))
        return self._known[merchant_id]


#: A payment of our wallet's, with the changes of its amount that rules were asked about, or made.
_Asked = tuple[AuthorizationView, PaymentView, list[AmountUpdateView]]


def _with_payments(start: datetime, end: datetime) -> Iterator[_Asked]:
    """What our wallet was asked, with the payments it was asked for."""
    for chunk in wallet.asked_between(start, end):
        keys = {(one.merchant_id, one.payment_id) for one in chunk}
        payments = {
            view.id: view for view in acquiring.decode_payments(read(acquiring.payments_by_id(list(keys))))
        }
        held = [(p.merchant_id, p.id) for p in payments.values() if p.capture_mode is CaptureMode.MANUAL]
        changes: dict[UUID, list[AmountUpdateView]] = defaultdict(list)
        if held:
            for change in acquiring.decode_amount_updates(read(acquiring.amount_updates_of_payments(held))):
                changes[change.payment_id].append(change)
        for one in chunk:
            yield one, payments[one.payment_id], changes.get(one.payment_id, [])


def _ours(
    one: AuthorizationView, payment: PaymentView, changes: list[AmountUpdateView], shops: _Shops
) -> risk.Past:
    paid = one.state in _PAID
    final = one.decided_at if paid or one.state is AuthorizationState.REFUSED else None
    at_once = payment.scenario is Scenario.PAYMENT_CODE or one.agreement_id is not None
    begun = replace(payment, amount=changes[0].before) if changes else payment
    return risk.Past(
        id=one.id,
        charge=charge_of(begun, shops[payment.merchant_id], wallet.OWN_ISSUER, one.wallet_id, one.device),
        begun_at=one.created_at,
        at_once=at_once,
        confirmed_at=None if at_once and final == one.created_at else final,
        confirmed_on=one.phone,
        made_at=final,
        changes=tuple(_change(change, one, begun) for change in changes if paid and _was_judged(change)),
        undone_at=payment.cancelled_at if paid and payment.state is PaymentState.CANCELLED else None,
        paid=paid,
        unasked=one.agreement_id is not None,
    )


def _was_judged(change: AmountUpdateView) -> bool:
    """Whether nothing but rules can have stood in its way."""
    return change.state is StepState.SUCCESS or change.failure_code == risk.errors.REFUSED


def _change(change: AmountUpdateView, one: AuthorizationView, begun: PaymentView) -> risk.PastChange:
    return risk.PastChange(
        at=change.created_at,
        amount=change.amount,
        paid=change.state is StepState.SUCCESS,
        unasked=not one.approved or change.amount.minor > begun.amount.minor,
    )


def _theirs(payment: PaymentView, shops: _Shops) -> risk.Past:
    refused = payment.failure_code == risk.errors.REFUSED
    undone = {PaymentState.FAIL: payment.finished_at, PaymentState.CANCELLED: payment.cancelled_at}
    return risk.Past(
        id=payment.id,
        charge=charge_of(payment, shops[payment.merchant_id], payment.issuer, None, None),
        begun_at=payment.created_at,
        at_once=True,
        made_at=payment.created_at,
        undone_at=None if refused else undone.get(payment.state),
        paid=payment.state is PaymentState.SUCCESS,
    )
