"""Where risk meets the engine: the charge a command would make, what the rules say, and in which wave.

A limit counts payments, and those of a wave are not certain before the books have agreed. So a command is
decided in a wave only if the rules say the same of it whether those before it are paid or not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

from msgspec.structs import replace

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import MerchantView, PaymentView
from comptoir.flows.engine.renewal import phase_payment
from comptoir.flows.engine.world import World
from comptoir.flows.types import Cancel, Command, Confirm, Expire, Pay, Renew, Settle, UpdateAmount
from comptoir.kernel.ids import new_id
from comptoir.kernel.statements import Flow
from comptoir.risk import api as risk
from comptoir.wallet import api as wallet

_NOTHING = risk.Total()

#: Commands by which a payment that was counted may come undone, or be counted with another amount.
_MAY_TAKE_BACK = (Cancel, Expire, Settle, UpdateAmount)


def judge(
    payment: PaymentView, device: int | None, stage: risk.Stage, world: World
) -> tuple[risk.Action | None, risk.Entry | None]:
    """What the rules in force want done with a payment whose issuer is known, and the line for their log.

    `device` is the phone that pays, if it is known. A line is kept when a rule fired, or when it is among
    the sample.
    """
    rules = world.desk.rules
    if not rules.rules:
        return None, None
    charge = _of_payment(payment, world, device)
    found = risk.concerns(rules, charge, world.now)
    said = risk.assess(found, charge.amount, world.total)
    sampled = rules.sample and payment.id.int % rules.sample == 0
    if said.action is None and not sampled:
        return None, None
    line = risk.Entry(
        id=new_id(),
        payment_id=payment.id,
        at=world.now,
        version=rules.version,
        stage=stage,
        charge=charge,
        assessment=said,
    )
    return said.action, line


def counted(
    payment: PaymentView, world: World, device: int | None, *, back: bool = False
) -> tuple[risk.Count, ...]:
    """A payment that is made, for the counters if there are any; `back`: one that was made comes undone.

    Ours is made when it is paid. Another issuer's is when it is asked for: it may be paid from then on.
    """
    if not world.desk.rules.counting:
        return ()
    paid_at = payment.finished_at if payment.wallet_id is not None else None
    return (risk.Count(_of_payment(payment, world, device), paid_at or payment.created_at, back),)


def asked(command: Command, world: World) -> risk.Charge | None:
    """The charge that a command would make, if it would make one: as `judge` and `counted` see it then."""
    match command:
        case Pay() if world.payment_of(command) is None and command.merchant_id in world.merchants:
            merchant = world.merchants[command.merchant_id]
            if command.issuer not in (None, wallet.OWN_ISSUER):
                return charge_of(command, merchant, command.issuer, None, None)
            device = world.devices.get(wallet.device_number(command.code) or -1) if command.code else None
            if device is not None:
                return charge_of(command, merchant, wallet.OWN_ISSUER, device.wallet.id, device.number)
            agreement = world.agreement_of(command)
            if agreement is not None and agreement.wallet_id is not None:
                return charge_of(command, merchant, wallet.OWN_ISSUER, agreement.wallet_id, None)
        case Renew():
            one, agreement = world.subscription_of(command), world.agreement_of(command)
            if one is not None and agreement is not None and command.merchant_id in world.merchants:
                merchant = world.merchants[command.merchant_id]
                wanted = phase_payment(one, command)
                if world.payment_of(command) is None and wanted.amount.minor:
                    return charge_of(wanted, merchant, wallet.OWN_ISSUER, agreement.wallet_id, None)
        case Confirm():
            authorization = world.authorizations.get(command.authorization_id)
            payment = world.payment_of(command)
            if payment is not None and authorization is not None and payment.wallet_id is not None:
                phone = authorization.phone if command.device is None else command.device
                return _of_payment(payment, world, phone)
        case UpdateAmount():
            payment = world.payment_of(command)
            if payment is not None and (authorization := world.authorization_of(payment)) is not None:
                larger = replace(payment, amount=command.amount)
                return _of_payment(larger, world, authorization.phone)
        case _:
            pass
    return None


def _of_payment(payment: PaymentView, world: World, device: int | None) -> risk.Charge:
    merchant = world.merchants[payment.merchant_id]
    return charge_of(payment, merchant, payment.issuer, payment.wallet_id, device)


def charge_of(
    about: Pay | PaymentView,
    merchant: MerchantView,
    issuer: str | None,
    wallet_id: UUID | None,
    device: int | None,
) -> risk.Charge:
    """A payment, or the wish for one, as the rules look at it. `device` is the phone that pays."""
    return risk.Charge(
        merchant_id=merchant.id,
        merchant_ref=merchant.ref,
        mcc=merchant.mcc,
        country=merchant.country,
        issuer=issuer or wallet.OWN_ISSUER,
        amount=about.amount,
        store_ref=about.store_ref,
        terminal_ref=about.terminal_ref,
        wallet_id=wallet_id,
        device=device,
    )


def load_for_rules(commands: Sequence[Command], world: World) -> Flow[None]:
    """Load what the rules in force need of these commands, and nothing where they need nothing.

    Whose confirmation it is that is to be judged, and what the limits ask of the counters.
    """
    rules = world.desk.rules
    if not rules.rules:
        return
    shops = {one.merchant_id for one in world.authorizations.values()} - world.merchants.keys()
    if shops:
        [rows] = yield [acquiring.merchants(list(shops))]
        world.keep_merchants(rows)
    if not rules.counting:
        return
    for command in commands:
        charge = asked(command, world)
        if charge is not None:
            world.charges[id(command)] = charge, risk.concerns(rules, charge, world.now)
    wanted = {one.asked for _, found in world.charges.values() for one in found if one.asked is not None}
    if wanted:
        in_order = list(wanted)
        [rows] = yield [risk.totals(in_order)]
        world.totals = risk.decode_totals(in_order, rows)


class Certainty:
    """What a wave's commands may come to be counted for: which others can be decided beside them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._scopes = world.desk.rules.scopes
        self._perhaps: dict[tuple[risk.Subject, str], risk.Total] = {}
        self._late: set[risk.Subject] = set()

    def joins(self, command: Command, *, free: bool) -> bool:
        """Whether a command is decided in this wave; `free`: nothing else keeps it out.

        One that waits keeps those after it waiting that it may be counted with, and so does one that may take
        back what was counted: so all are in order.
        """
        joins = self._joins(command) if free else False
        for charge in self._uncertain(command, joins=joins):
            self._late.update(risk.subjects(charge, self._scopes).values())
        return joins

    def _uncertain(self, command: Command, *, joins: bool) -> Iterator[risk.Charge]:
        """The charges whose counters nobody knows before the next wave."""
        if not self._scopes:
            return
        if not joins and id(command) in self._world.charges:
            yield self._world.charges[id(command)][0]
        payment = self._world.payment_of(command) if isinstance(command, _MAY_TAKE_BACK) else None
        if payment is not None:
            authorization = self._world.authorization_of(payment)
            yield _of_payment(payment, self._world, authorization.phone if authorization else None)

    def _joins(self, command: Command) -> bool:
        if id(command) not in self._world.charges:
            return True
        charge, found = self._world.charges[id(command)]
        whose = risk.subjects(charge, self._scopes).values()
        if not self._late.isdisjoint(whose) or not self._certain(charge, found):
            return False
        for one in whose:
            for currency in ("", charge.amount.currency):
                payments, amount = self._perhaps.get((one, currency), (0, 0))
                self._perhaps[one, currency] = risk.Total(payments + 1, amount + charge.amount.minor)
        return True

    def _certain(self, charge: risk.Charge, found: Sequence[risk.Concern]) -> bool:
        """Whether the rules say the same with all that may be counted as with none of it."""
        return not self._perhaps or not risk.sways(found, charge.amount, self._world.total, self._more)

    def _more(self, wanted: risk.Lookup) -> risk.Total:
        return self._perhaps.get((wanted.subject, wanted.currency), _NOTHING)
