"""The legs of a payment that another issuer pays: held first, then made final or let go.

The issuer owes us the charge; the merchant is owed its settlement. Between the two stands our exchange
position, which comes to nothing when both are in one currency.
"""

from __future__ import annotations

from uuid import UUID

from msgspec.structs import replace

from comptoir.acquiring.api import PaymentView
from comptoir.kernel.ids import OPERATOR, SANDBOX, derived_id, leg_id
from comptoir.kernel.statements import Statement
from comptoir.ledger.api import Phase, Role, Transfer, account_id, open_account
from comptoir.wallet.api import SIMULATED

# What becomes of a hold is numbered after the hold itself.
_CANCEL, _POST, _VOID = 16, 32, 48


def issuer_owner(name: str) -> UUID:
    """The owner, in the books, of what an issuer owes us."""
    return derived_id("issuer", name)


def accounts(payment: PaymentView, name: str) -> tuple[Statement, ...]:
    """Open what a payment by this issuer needs; nothing happens where it is open already."""
    currency = payment.amount.currency
    return (
        open_account(issuer_owner(name), Role.ISSUER_RECEIVABLE, currency, payment.created_at),
        *(
            open_account(_position_owner(name), Role.FX_POSITION, one, payment.created_at)
            for one in dict.fromkeys((currency, payment.settlement.currency))
        ),
    )


def _position_owner(name: str) -> UUID:
    """Whose exchange position stands between: simulated wallets never touch the operator's."""
    return SANDBOX if name.startswith(SIMULATED) else OPERATOR


def hold(payment: PaymentView) -> tuple[Transfer, ...]:
    """Hold a whole payment until its issuer has answered."""
    return _held(payment, payment.id, payment.amount.minor, payment.settlement.minor, back=False)


def hold_refund(payment: PaymentView, refund_id: UUID, amount: int, settlement: int) -> tuple[Transfer, ...]:
    """Hold a refund (`amount` in the payment's currency, `settlement` off the merchant) until its answer."""
    return _held(payment, refund_id, amount, settlement, back=True)


def post(holds: tuple[Transfer, ...]) -> tuple[Transfer, ...]:
    """Make holds final."""
    return tuple(_resolved(one, _POST, Phase.POST) for one in holds)


def void(holds: tuple[Transfer, ...]) -> tuple[Transfer, ...]:
    """Let holds go."""
    return tuple(_resolved(one, _VOID, Phase.VOID) for one in holds)


def cancel(payment: PaymentView) -> tuple[Transfer, ...]:
    """Take a whole paid payment back; each leg points at the one it reverses."""
    return tuple(
        replace(
            one,
            id=UUID(int=one.id.int ^ _CANCEL),
            debit_id=one.credit_id,
            credit_id=one.debit_id,
            kind=one.kind.replace("pay.", "cancel."),
            phase=Phase.POSTED,
            reverses_id=UUID(int=one.id.int ^ _POST),
        )
        for one in hold(payment)
    )


def _resolved(one: Transfer, offset: int, phase: Phase) -> Transfer:
    return replace(one, id=UUID(int=one.id.int ^ offset), phase=phase, pending_id=one.id)


def _held(
    payment: PaymentView, parent: UUID, amount: int, settlement: int, *, back: bool
) -> tuple[Transfer, ...]:
    if payment.issuer is None:
        return ()
    currency, owed = payment.amount.currency, payment.settlement.currency
    between = _position_owner(payment.issuer)
    position = account_id(between, Role.FX_POSITION, currency)
    receivable = account_id(issuer_owner(payment.issuer), Role.ISSUER_RECEIVABLE, currency)
    owed_position = account_id(between, Role.FX_POSITION, owed)
    payable = account_id(payment.merchant_id, Role.MERCHANT_PAYABLE, owed)
    kind = "refund" if back else "pay"
    planned = (
        (1, "issuer", receivable, position, amount, currency),
        (3, "settlement", owed_position, payable, settlement, owed),
    )
    return tuple(
        Transfer(
            id=leg_id(parent, number),
            owner_id=payment.merchant_id,
            debit_id=target if back else source,
            credit_id=source if back else target,
            amount=minor,
            currency=money,
            kind=f"{kind}.{name}",
            subject_id=parent,
            phase=Phase.PENDING,
        )
        for number, name, source, target, minor, money in planned
        if minor  # a part of nothing is no transfer
    )
