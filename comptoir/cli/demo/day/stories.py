"""How each kind of story goes, and what the shop writes down."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final
from uuid import UUID

from comptoir.cli.demo.day.phones import Phones
from comptoir.cli.demo.day.plan import Kind, Story
from comptoir.cli.demo.day.till import Till
from comptoir.flows.api import OK
from comptoir.kernel.ids import new_id
from comptoir.standards.payment_code import Form

#: How long a customer looks for the glasses before typing the PIN.
_LATE_SECONDS: Final = 1.5


class Surprise(Exception):
    """A story did not end as it should."""


@dataclass
class Sale:
    """One payment as the shop knows it, from the answers alone. Amounts in minor units."""

    story: Story
    request_id: str
    code: str
    settled: int = 0
    cancelled: bool = False
    refunded: int = 0
    unsettled: int = 0

    @property
    def paid(self) -> bool:
        """Whether money came in, whatever became of it later."""
        return self.code == "SUCCESS"

    @property
    def owed(self) -> int:
        """What the shop is still owed for it, in its settlement currency."""
        return 0 if self.cancelled else self.settled - self.unsettled


@dataclass
class Journal:
    """What all shops wrote down. `told` are the request ids that notifications must come for."""

    sales: list[Sale] = field(default_factory=list)
    told: set[str] = field(default_factory=set)
    refunds: int = 0
    _lock: Lock = field(default_factory=Lock)

    def sale(self, story: Story, request_id: str, code: str, *, told: bool = True) -> Sale:
        """Write down a payment, paid or not."""
        sale = Sale(story, request_id, code)
        with self._lock:
            self.sales.append(sale)
            if told:
                self.told.add(request_id)
        return sale

    def refund(self, sale: Sale, request_id: str, amount: int, settlement: int) -> None:
        """Write down a refund; one of nothing was refused."""
        with self._lock:
            self.told.add(request_id)
            self.refunds += 1 if amount else 0
            sale.refunded += amount
            sale.unsettled += settlement


@dataclass(frozen=True)
class Scene:
    """A story about to be played."""

    story: Story
    till: Till
    phones: Phones
    journal: Journal

    def code(self) -> str:
        """A fresh code of the customer; every fourth has the long form."""
        form = Form.ALIPAY_PLUS if self.story.number % 4 == 0 else Form.SHORT
        return self.phones.code(self.story.login, form)


def play(scene: Scene) -> None:
    """Play one story. Raises Surprise when it ends otherwise than planned."""
    _PLAYS[scene.story.kind](scene)


def _paid(scene: Scene) -> Sale:
    request_id = new_id().hex
    answer = scene.till.pay(scene.story, scene.code(), request_id)
    return _success(scene, request_id, answer)


def _success(scene: Scene, request_id: str, answer: Any) -> Sale:
    _expect(answer, "SUCCESS")
    sale = scene.journal.sale(scene.story, request_id, "SUCCESS")
    sale.settled = int(answer.gross_settlement_amount.value)
    return sale


def _repeated(scene: Scene) -> None:
    request_id, code = new_id().hex, scene.code()
    first = scene.till.pay(scene.story, code, request_id)
    _success(scene, request_id, first)
    again = scene.till.pay(scene.story, code, request_id)
    _expect(again, "SUCCESS")
    if (again.payment_id, again.payment_time) != (first.payment_id, first.payment_time):
        raise Surprise("the repeated request got another payment")


def _reused_id(scene: Scene) -> None:
    request_id, code = new_id().hex, scene.code()
    _success(scene, request_id, scene.till.pay(scene.story, code, request_id))
    other = scene.till.pay(scene.story, code, request_id, scene.story.amount + 1)
    _expect(other, "REPEAT_REQ_INCONSISTENT")


def _confirmed(scene: Scene) -> None:
    request_id = new_id().hex
    asked = scene.till.pay(scene.story, scene.code(), request_id)
    _expect(asked, "PAYMENT_IN_PROCESS")
    time.sleep(_LATE_SECONDS)
    _approve(scene, UUID(asked.payment_id))
    _settle(scene, request_id, asked.payment_id)


def _declined(scene: Scene) -> None:
    request_id = new_id().hex
    asked = scene.till.pay(scene.story, scene.code(), request_id)
    _expect(asked, "PAYMENT_IN_PROCESS")
    if not scene.phones.decline(scene.story.login, UUID(asked.payment_id)):
        raise Surprise("the declined payment still waits")
    answer = scene.till.wait(asked.payment_id)
    if answer.payment_status.value != "FAIL":
        raise Surprise(f"the declined payment is {answer.payment_status.value}")
    scene.journal.sale(scene.story, request_id, answer.payment_result_code)


def _ordered(scene: Scene) -> None:
    request_id = new_id().hex
    shown = scene.till.order(scene.story, request_id)
    _expect(shown, "PAYMENT_IN_PROCESS")
    scene.phones.scan(scene.story.login, shown.order_code_form.code_details[0].code_value)
    _approve(scene, UUID(shown.payment_id))
    _settle(scene, request_id, shown.payment_id)


def _cashier(scene: Scene) -> None:
    request_id = new_id().hex
    begun = scene.till.cashier(scene.story, request_id)
    _expect(begun, "PAYMENT_IN_PROCESS")
    scene.phones.scan(scene.story.login, begun.normal_url)
    _approve(scene, UUID(begun.payment_id))
    _settle(scene, request_id, begun.payment_id)


def _abandoned(scene: Scene) -> None:
    request_id = new_id().hex
    shown = scene.till.order(scene.story, request_id)
    _expect(shown, "PAYMENT_IN_PROCESS")
    _expect(scene.till.cancel(shown.payment_id), "SUCCESS")
    scene.journal.sale(scene.story, request_id, "ORDER_IS_CANCELED", told=False)
    if (status := scene.till.inquire(shown.payment_id).payment_status.value) != "CANCELLED":
        raise Surprise(f"the cancelled order is {status}")


def _cancelled(scene: Scene) -> None:
    request_id = new_id().hex
    answer = scene.till.pay(scene.story, scene.code(), request_id)
    sale = _success(scene, request_id, answer)
    first = scene.till.cancel(answer.payment_id)
    _expect(first, "SUCCESS")
    sale.cancelled = True
    again = scene.till.cancel(answer.payment_id)
    if again.cancel_time != first.cancel_time:
        raise Surprise("the repeated cancellation got another time")


def _refunded(scene: Scene) -> None:
    request_id = new_id().hex
    answer = scene.till.pay(scene.story, scene.code(), request_id)
    sale = _success(scene, request_id, answer)
    _refund(scene, sale, answer.payment_id, scene.story.amount)
    if sale.owed:
        raise Surprise("after a full refund the shop is still owed something")


def _refunded_in_parts(scene: Scene) -> None:
    request_id = new_id().hex
    answer = scene.till.pay(scene.story, scene.code(), request_id)
    sale = _success(scene, request_id, answer)
    third = scene.story.amount // 3
    _refund(scene, sale, answer.payment_id, third)
    _refund(scene, sale, answer.payment_id, third)
    too_much = new_id().hex
    refused = scene.till.refund(scene.story, answer.payment_id, scene.story.amount, too_much)
    _expect(refused, "REFUND_AMOUNT_EXCEED")
    scene.journal.refund(sale, too_much, 0, 0)


def _refund(scene: Scene, sale: Sale, payment_id: str, amount: int) -> None:
    request_id = new_id().hex
    answer = scene.till.refund(scene.story, payment_id, amount, request_id)
    _expect(answer, "SUCCESS")
    scene.journal.refund(sale, request_id, amount, int(answer.gross_settlement_amount.value))


def _used(scene: Scene) -> None:
    first, second, code = new_id().hex, new_id().hex, scene.code()
    _success(scene, first, scene.till.pay(scene.story, code, first))
    _refusal(scene, second, code, "INVALID_PAYMENT_CODE")


def _refused_with(expected: str, code: Callable[[Scene], str]) -> Callable[[Scene], None]:
    def refused(scene: Scene) -> None:
        _refusal(scene, new_id().hex, code(scene), expected)

    return refused


def _refusal(scene: Scene, request_id: str, code: str, expected: str) -> None:
    answer = scene.till.pay(scene.story, code, request_id)
    _expect(answer, expected)
    scene.journal.sale(scene.story, request_id, expected)


def _approve(scene: Scene, payment_id: UUID) -> None:
    code = scene.phones.approve(scene.story.login, payment_id)
    if code != OK:
        raise Surprise(f"the traveller approved, and it was refused: {code}")


def _settle(scene: Scene, request_id: str, payment_id: str) -> None:
    """The till learns that an open payment was paid."""
    answer = scene.till.wait(payment_id)
    if answer.payment_status.value != "SUCCESS":
        raise Surprise(f"the approved payment is {answer.payment_status.value}")
    sale = scene.journal.sale(scene.story, request_id, "SUCCESS")
    sale.settled = int(answer.gross_settlement_amount.value)


def _expect(answer: Any, code: str) -> None:
    if answer.result.result_code != code:
        raise Surprise(f"{answer.result.result_code} instead of {code}: {answer.result.result_message}")


_PLAYS: Final[dict[Kind, Callable[[Scene], object]]] = {
    Kind.PAID: _paid,
    Kind.REPEATED: _repeated,
    Kind.REUSED_ID: _reused_id,
    Kind.CONFIRMED: _confirmed,
    Kind.DECLINED: _declined,
    Kind.ORDERED: _ordered,
    Kind.CASHIER: _cashier,
    Kind.ABANDONED: _abandoned,
    Kind.CANCELLED: _cancelled,
    Kind.REFUNDED: _refunded,
    Kind.REFUNDED_IN_PARTS: _refunded_in_parts,
    Kind.USED: _used,
    Kind.EMPTY: _refused_with("USER_BALANCE_NOT_ENOUGH", Scene.code),
    Kind.EXPIRED: _refused_with("EXPIRED_CODE", lambda scene: scene.phones.expired_code(scene.story.login)),
    Kind.UNKNOWN: _refused_with("INVALID_PAYMENT_CODE", lambda scene: scene.phones.nobodys_code()),
    Kind.OVER_LIMIT: _refused_with("PAYMENT_AMOUNT_EXCEED_LIMIT", Scene.code),
    Kind.FROZEN: _refused_with("USER_STATUS_ABNORMAL", Scene.code),
}
