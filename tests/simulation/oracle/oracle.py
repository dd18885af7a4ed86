"""The oracle: told of every commit, it does the same in its own books, and compares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from comptoir.acquiring.api import PaymentView, RefundView
from comptoir.flows import api as flows
from comptoir.ledger.api import Side
from tests.simulation.oracle import (
    agreements,
    captures,
    disputes,
    others,
    payments,
    prices,
    refunds,
    subscriptions,
)
from tests.simulation.oracle.kept import Kept
from tests.simulation.oracle.rows import LOOKS, notice_name, state_machine
from tests.simulation.oracle.types import Wrong
from tests.simulation.statements import BooksWork, Store


class Oracle(Kept):
    """The rules and the books, kept beside the real ones."""

    def __init__(self, store: Store, rates: dict[str, Decimal]) -> None:
        super().__init__(rates)
        self._store = store
        self._about = store.table("db_outbox").columns_of("topic", "subject_id", "payload")
        self.owed_notices: Counter[tuple[str, UUID]] = Counter()
        self.codes: Counter[str] = Counter()
        self.failures: list[Exception] = []

    def batch(
        self, done: Sequence[tuple[flows.Command, flows.Outcome]], now: datetime
    ) -> Callable[[BooksWork], None]:
        """What to do when the transaction that did these commands, in this order, commits."""

        def committed(work: BooksWork) -> None:
            with self.watching():
                self.notices = []
                for command, outcome in done:
                    self._one(command, outcome, now)
                self._compare(work)

        return committed

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Remember what is wrong, whoever swallows the exception further up."""
        try:
            yield
        except Exception as error:
            self.failures.append(error)
            raise

    def _one(self, command: flows.Command, outcome: flows.Outcome, now: datetime) -> None:
        expected = _RULES[type(command)](self, command, outcome, now)
        self.codes[f"{type(command).__name__} {expected}"] += 1
        if outcome.code != expected:
            raise Wrong(f"{command} was answered {outcome.code}, the rules say {expected}")
        if outcome.payment is not None:
            self._same_payment(outcome.payment)
        if outcome.refund is not None:
            self._same_refund(outcome.refund)
        if outcome.dispute is not None:
            disputes.same(self, outcome.dispute)
        if outcome.subscription is not None:
            subscriptions.same(self, outcome.subscription)

    def _same_payment(self, said: PaymentView) -> None:
        """The record in an answer says what was asked for."""
        payment = self.by_id.get(said.id)
        if payment is None:
            raise Wrong(f"an answer speaks of payment {said.id}, which is not there")
        if (said.amount, said.settlement.minor, said.request_ref) != (
            payment.amount, payment.settlement, payment.command.request_ref,
        ):  # fmt: skip
            raise Wrong(f"payment {said.id}: {said} is not {payment}")

    def _same_refund(self, said: RefundView) -> None:
        back = self.backs_by_id.get(said.id)
        if back is None or said.amount != back.command.amount:
            raise Wrong(f"refund {said.id} is not what was asked")

    def _compare(self, work: BooksWork) -> None:
        """Everything that the transaction touched, and every notice that it owes."""
        notices = []
        for table, key, old in work.changes:
            if table.name == "db_outbox":
                topic, subject_id, payload = self._about(table.rows[key])
                if old is None and topic.startswith("notify."):
                    notices.append((notice_name(topic, payload), subject_id))
            elif table.name in LOOKS:
                row = table.named(table.rows[key])
                LOOKS[table.name](self, row)
                if table.name == "acquiring_payment" and old is not None:
                    state_machine(table.named(old), row)
        if sorted(notices) != sorted(self.notices):
            raise Wrong(f"notices {notices} were written, {self.notices} are owed")
        for one in notices:
            self._owe(one)
        for id in work.accounts:
            self.account_row(id)

    def _owe(self, notice: tuple[str, UUID]) -> None:
        """Everything is told once; the end of an authorization nobody used as well, and each new term."""
        self.owed_notices[notice] += 1
        payment = self.by_id.get(notice[1])
        if notice[0] in ("notify.subscription CHANGE", "notify.subscription UPDATE"):
            return
        if self.owed_notices[notice] > (2 if payment is not None and payment.lapsed else 1):
            raise Wrong(f"{notice} is to be told twice")

    def account_row(self, id: UUID) -> None:
        """An account holds what was moved to it."""
        real = self._store.books.accounts.get(id)
        if real is None:
            raise Wrong(f"account {id} is not there")
        found = real.credits_posted - real.debits_posted, real.debits_pending, real.credits_pending
        expected = tuple(self.accounts.get(id, (0, 0, 0)))
        if found != expected:
            raise Wrong(
                f"account {id} ({real.currency}, {real.side}): net, debits and credits held are {found}, "
                f"the rules say {expected}"
            )
        if real.floor is not None and real.side is Side.CREDIT and real.available < real.floor:
            raise Wrong(f"account {id} is under its floor")


_RULES: dict[type, Callable[[Kept, Any, flows.Outcome, datetime], str]] = {
    flows.AskPrice: prices.ask_price,
    flows.Pay: payments.pay,
    flows.Claim: payments.claim,
    flows.Confirm: payments.confirm,
    flows.Decline: payments.decline,
    flows.Cancel: payments.cancel,
    flows.Expire: payments.expire,
    flows.Capture: captures.capture,
    flows.UpdateAmount: captures.update_amount,
    flows.Refund: refunds.refund,
    flows.OpenAgreement: agreements.open_agreement,
    flows.ApproveAgreement: agreements.approve,
    flows.DeclineAgreement: agreements.decline,
    flows.ApplyToken: agreements.apply_token,
    flows.RevokeToken: agreements.revoke_token,
    flows.EndAgreement: agreements.end_agreement,
    flows.Settle: others.settle,
    flows.SettleRefund: others.settle_refund,
    flows.OpenSubscription: subscriptions.open_subscription,
    flows.ChangeSubscription: subscriptions.change,
    flows.EndSubscription: subscriptions.end_subscription,
    flows.Renew: subscriptions.renew,
    flows.OpenDispute: disputes.open_dispute,
    flows.AcceptDispute: disputes.accept,
    flows.DefendDispute: disputes.defend,
    flows.JudgeDispute: disputes.judge,
    flows.WithdrawDispute: disputes.withdraw,
    flows.LookAtDispute: disputes.look_at,
}
