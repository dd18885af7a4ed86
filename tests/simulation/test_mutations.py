"""The simulation finds bugs: each of these is put into the real code, and one of the first seeds meets it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import psycopg
import pytest
from msgspec.structs import replace

from comptoir.acquiring import rules
from comptoir.acquiring.api import errors
from comptoir.flows import decisions
from comptoir.flows.engine import batch, store
from comptoir.flows.types import Command
from comptoir.kernel.ids import leg_id
from comptoir.wallet import api as wallet
from comptoir.wallet import rules as wallet_rules
from tests.simulation.history import run

# The package's names are its functions; these are the modules behind them.
cancel, capture, charge, dispute, refund, pay, issuer, subscription = (
    import_module(f"comptoir.flows.decisions.{name}")
    for name in ("cancel", "capture", "charge", "dispute", "refund", "pay", "issuer", "subscription")
)

Mutation = Callable[[pytest.MonkeyPatch], None]

#: All of these are found within so many histories of so many payments.
SEEDS, PAYMENTS = range(1, 31), 300


def without(kind: str) -> Mutation:
    """A kind of subject is forgotten: commands about the same one are decided in one wave."""
    real = batch._subjects

    def forgetful(command: Command, world: Any) -> set[Hashable]:
        return {one for one in real(command, world) if one[0] != kind}  # type: ignore[index]

    return lambda patch: patch.setattr(batch, "_subjects", forgetful)


def one_too_many(refusal: str) -> Mutation:
    """A rule lets one minor unit more pass than it may."""
    real = getattr(rules, refusal)

    def off_by_one(payment: Any, amount: Any, *rest: Any) -> str | None:
        return real(payment, type(amount)(max(amount.minor - 1, 1), amount.currency), *rest)  # type: ignore[no-any-return]

    return lambda patch: patch.setattr(rules, refusal, off_by_one)


def rest_of_a_last_capture_stays_held(patch: pytest.MonkeyPatch) -> None:
    real = capture._take
    patch.setattr(capture, "_take", lambda *args, last: real(*args, last=False))


class Blank:
    """A world of which something is not seen."""

    def __init__(self, world: Any, **instead: Any) -> None:
        self._world, self._instead = world, instead

    def __getattr__(self, name: str) -> Any:
        return self._instead[name] if name in self._instead else getattr(self._world, name)


def no_memory_of_payments(patch: pytest.MonkeyPatch) -> None:
    real = decisions.pay
    patch.setattr(
        decisions, "pay", lambda command, world: real(command, Blank(world, payment_of=lambda *_: None))
    )


def no_memory_of_refunds(patch: pytest.MonkeyPatch) -> None:
    real = decisions.refund
    patch.setattr(decisions, "refund", lambda command, world: real(command, Blank(world, refunds={})))


def no_memory_of_captures(patch: pytest.MonkeyPatch) -> None:
    real = decisions.capture
    patch.setattr(decisions, "capture", lambda command, world: real(command, Blank(world, captures={})))


def ended_agreement_still_pays(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rules, "access_refusal", lambda one, _: None if one else errors.ACCESS_TOKEN_INVALID)


def agreement_has_no_day_limit(patch: pytest.MonkeyPatch) -> None:
    real = wallet.decide_unasked

    def forgetful(purse: Any, agreement: Any, total: Any) -> Any:
        return real(purse, replace(agreement, spent=0), total)

    patch.setattr(wallet, "decide_unasked", forgetful)


def asked_price_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(pay, "asked_quote", lambda *_: None)


def other_content_passes_for_a_repeat(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rules, "payment_hash", lambda *_: b"the same for all")


def spending_is_not_counted(patch: pytest.MonkeyPatch) -> None:
    real = charge.paid
    patch.setattr(charge, "paid", lambda *args, **more: replace(real(*args, **more), spending=None))


def codes_can_be_used_twice(patch: pytest.MonkeyPatch) -> None:
    real = wallet_rules.check_code

    def forgetful(code: Any, device: Any, now: Any) -> Any:
        return real(code, device and replace(device, used=frozenset()), now)

    patch.setattr(wallet, "check_code", forgetful)


def cancel_leaves_the_margin(patch: pytest.MonkeyPatch) -> None:
    real = cancel.cancel_legs

    def two_of_three(*args: Any) -> Any:
        return tuple(leg for leg in real(*args) if leg.kind != "cancel.margin")

    patch.setattr(cancel, "cancel_legs", two_of_three)


def refund_is_not_counted(patch: pytest.MonkeyPatch) -> None:
    real = refund._give_back

    def forgetful(opened: Any, payment: Any, *rest: Any) -> Any:
        return replace(real(opened, payment, *rest), payment=payment)

    patch.setattr(refund, "_give_back", forgetful)


def late_success_is_kept_by_the_issuer(patch: pytest.MonkeyPatch) -> None:
    real = issuer.cancel_theirs
    patch.setattr(cancel, "cancel_theirs", lambda *args: replace(real(*args), task=None))


def nobody_is_told(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(store, "_notices", lambda *_: [])


def window_never_closes(patch: pytest.MonkeyPatch) -> None:
    real = rules.cancel_refusal

    def open_ended(*args: Any) -> str | None:
        reason = real(*args)
        return None if reason == errors.CANCEL_WINDOW else reason

    patch.setattr(rules, "cancel_refusal", open_ended)


def no_memory_of_disputes(patch: pytest.MonkeyPatch) -> None:
    real = dispute.open_dispute
    patch.setattr(dispute, "open_dispute", lambda command, world: real(command, Blank(world, disputes={})))


def acceptance_does_not_end_a_dispute(patch: pytest.MonkeyPatch) -> None:
    real = dispute._accepted
    patch.setattr(dispute, "_accepted", lambda known, *rest: replace(real(known, *rest), dispute=known))


def what_was_won_stays_claimed(patch: pytest.MonkeyPatch) -> None:
    real = dispute._counted
    patch.setattr(
        dispute, "_counted", lambda payment, back, sign: real(payment, back, sign) if sign > 0 else payment
    )


def late_defense_is_heard(patch: pytest.MonkeyPatch) -> None:
    real, early = dispute._waiting, datetime(2026, 1, 1, tzinfo=UTC)

    def patient(command: Any, world: Any, *, merchants: bool) -> Any:
        return real(command, Blank(world, now=early), merchants=merchants)

    patch.setattr(dispute, "_waiting", patient)


def lost_chargeback_is_given_back_twice(patch: pytest.MonkeyPatch) -> None:
    real = dispute._give_back

    def twice(over: Any, payment: Any, world: Any, event: Any) -> Any:
        once = real(over, payment, world, event)
        more = (replace(one, id=leg_id(one.id, 128)) for one in dispute._at_once(once.transfers))
        return replace(once, transfers=(*once.transfers, *(replace(one, pending_id=None) for one in more)))

    patch.setattr(dispute, "_give_back", twice)


def phase_is_charged_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(subscription, "_next_phase", lambda one: one)


def more_than_agreed_is_charged(patch: pytest.MonkeyPatch) -> None:
    real = subscription._changed

    def greedy(command: Any, one: Any, world: Any) -> Any:
        return real(command, replace(one, ceiling=10**9), world)

    patch.setattr(subscription, "_changed", greedy)


def ended_subscription_is_charged(patch: pytest.MonkeyPatch) -> None:
    real = subscription.over_with
    patch.setattr(
        subscription, "over_with", lambda one, *rest: replace(real(one, *rest), next_at=one.next_at)
    )


MUTATIONS: dict[str, Mutation] = {
    "the payment is no subject": without("payment"),
    "the wallet is no subject": without("wallet"),
    "the refund is no subject": without("refund"),
    "the agreement is no subject": without("agreement"),
    "refund of one too many": one_too_many("refund_refusal"),
    "capture of one too many": one_too_many("capture_refusal"),
    "chargeback of one too many": one_too_many("dispute_refusal"),
} | {
    one.__name__.replace("_", " "): one
    for one in (
        rest_of_a_last_capture_stays_held,
        no_memory_of_captures, asked_price_is_forgotten, ended_agreement_still_pays,
        agreement_has_no_day_limit, no_memory_of_payments, no_memory_of_refunds,
        other_content_passes_for_a_repeat, spending_is_not_counted, codes_can_be_used_twice,
        cancel_leaves_the_margin, refund_is_not_counted, late_success_is_kept_by_the_issuer, nobody_is_told,
        window_never_closes, no_memory_of_disputes,
        acceptance_does_not_end_a_dispute, what_was_won_stays_claimed, late_defense_is_heard,
        lost_chargeback_is_given_back_twice, phase_is_charged_again, more_than_agreed_is_charged,
        ended_subscription_is_charged,
    )
}  # fmt: skip


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_bug_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    MUTATIONS[name](monkeypatch)
    for seed in SEEDS:
        try:
            run(seed, PAYMENTS)
        except (AssertionError, psycopg.IntegrityError):
            return
    pytest.fail(f"{name}: nobody noticed in {len(SEEDS)} histories")
