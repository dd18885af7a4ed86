"""The legs of what our own wallet holds for captures.

A hold is up to three pending transfers, named after the record that made it: the payment, a capture, or a
change of its amount. A pending transfer is resolved once; so what captures a part posts that part and holds
the rest anew, in one linked group that nothing can come between (decision 0017).
"""

from __future__ import annotations

from uuid import UUID

from msgspec.structs import replace

from comptoir.acquiring.api import PaymentView
from comptoir.flows.engine.decision import Parts, planned_legs
from comptoir.kernel.errors import InvariantBroken
from comptoir.kernel.ids import leg_id
from comptoir.ledger.api import Phase, Transfer

# A record's holds, and what lets them go, are numbered after its own legs.
_VOID, _HOLD = 48, 64


def hold(payment: PaymentView, parts: Parts, hold_id: UUID) -> tuple[Transfer, ...]:
    """Hold `parts` under the name `hold_id`."""
    return tuple(one for one in _pending(payment, parts, hold_id) if one.amount)


def release(payment: PaymentView, held: Parts) -> tuple[Transfer, ...]:
    """Let go of all that is held for a payment: `held`."""
    return tuple(_void(one) for one in hold(payment, held, _standing(payment)))


def capture(
    payment: PaymentView, held: Parts, part: Parts, capture_id: UUID, *, again: bool
) -> tuple[Transfer, ...]:
    """Make `part` of what is held final; hold the rest under the capture's name (`again`), or let it go."""
    transfers: list[Transfer] = []
    before = _pending(payment, held, _standing(payment))
    taken = _pending(payment, part, capture_id)
    for number, (one, some) in enumerate(zip(before, taken, strict=True), 1):
        if not one.amount:
            continue
        if some.amount:
            post = replace(
                some,
                id=leg_id(capture_id, number),
                kind=one.kind.replace("hold.", "capture."),
                subject_id=capture_id,
                phase=Phase.POST,
                pending_id=one.id,
            )
            transfers.append(post)
        else:
            transfers.append(_void(one))
        if again and one.amount > some.amount:
            transfers.append(replace(some, amount=one.amount - some.amount))
    return tuple(transfers)


def _pending(payment: PaymentView, parts: Parts, hold_id: UUID) -> tuple[Transfer, ...]:
    """The three pending legs of a hold, those of nothing too."""
    return tuple(
        Transfer(
            id=leg_id(hold_id, number + _HOLD),
            owner_id=payment.merchant_id,
            debit_id=source,
            credit_id=target,
            amount=amount,
            currency=currency,
            kind=f"hold.{name}",
            subject_id=payment.id,
            phase=Phase.PENDING,
        )
        for number, name, source, target, amount, currency in planned_legs(payment, parts)
    )


def _void(one: Transfer) -> Transfer:
    return replace(one, id=UUID(int=one.id.int ^ _HOLD ^ _VOID), phase=Phase.VOID, pending_id=one.id)


def _standing(payment: PaymentView) -> UUID:
    if payment.hold_id is None:
        raise InvariantBroken(f"payment {payment.id.hex} holds nothing")
    return payment.hold_id
