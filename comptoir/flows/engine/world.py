"""What a batch knows: the state its commands touch, loaded in one round trip under the books' lock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from comptoir.acquiring import api as acquiring
from comptoir.flows.engine.desk import Desk
from comptoir.flows.types import (
    ApplyToken,
    ApproveAgreement,
    AskPrice,
    Cancel,
    Capture,
    ChangeSubscription,
    Claim,
    Command,
    Confirm,
    Decline,
    DeclineAgreement,
    DisputeCommand,
    EndAgreement,
    EndSubscription,
    Expire,
    OpenAgreement,
    OpenSubscription,
    Pay,
    Refund,
    Renew,
    RevokeToken,
    Settle,
    SettleRefund,
    Told,
    UpdateAmount,
)
from comptoir.fx import api as fx
from comptoir.kernel.clock import china_day
from comptoir.kernel.statements import Flow, Rows, Statement
from comptoir.risk import api as risk
from comptoir.wallet import api as wallet

RequestKey = tuple[UUID, str, str]
#: (merchant id, client, CHANGE or UPDATE, request id)
ChangeKey = tuple[UUID, str, str, str]
#: A merchant and the SHA-256 of a code or token.
HashKey = tuple[UUID, bytes]


@dataclass
class World:
    """The loaded state. Decisions read it; none of them changes it."""

    now: datetime
    desk: Desk
    merchants: dict[UUID, acquiring.MerchantView] = field(default_factory=dict)
    payments: dict[UUID, acquiring.PaymentView] = field(default_factory=dict)
    by_request: dict[RequestKey, acquiring.PaymentView] = field(default_factory=dict)
    by_order_code: dict[str, acquiring.PaymentView] = field(default_factory=dict)
    refunds: dict[RequestKey, acquiring.RefundView] = field(default_factory=dict)
    refunds_by_id: dict[UUID, acquiring.RefundView] = field(default_factory=dict)
    disputes: dict[UUID, acquiring.DisputeView] = field(default_factory=dict)
    captures: dict[RequestKey, acquiring.CaptureView] = field(default_factory=dict)
    captures_by_id: dict[UUID, acquiring.CaptureView] = field(default_factory=dict)
    amount_updates: dict[RequestKey, acquiring.AmountUpdateView] = field(default_factory=dict)
    quotes: dict[UUID, fx.Quote] = field(default_factory=dict)
    devices: dict[int, wallet.DeviceView] = field(default_factory=dict)
    wallets: dict[UUID, wallet.WalletView] = field(default_factory=dict)
    authorizations: dict[UUID, wallet.AuthorizationView] = field(default_factory=dict)
    agreements: dict[UUID, acquiring.AgreementView] = field(default_factory=dict)
    by_access: dict[HashKey, acquiring.AgreementView] = field(default_factory=dict)
    by_grant: dict[HashKey, acquiring.AgreementView] = field(default_factory=dict)
    by_consent_code: dict[str, acquiring.AgreementView] = field(default_factory=dict)
    wallet_agreements: dict[UUID, wallet.AgreementView] = field(default_factory=dict)
    charges: dict[int, tuple[risk.Charge, list[risk.Concern]]] = field(default_factory=dict)
    totals: dict[risk.Lookup, risk.Total] = field(default_factory=dict)
    subscriptions: dict[UUID, acquiring.SubscriptionView] = field(default_factory=dict)
    subscriptions_by_request: dict[RequestKey, acquiring.SubscriptionView] = field(default_factory=dict)
    subscription_changes: dict[ChangeKey, acquiring.SubscriptionChange] = field(default_factory=dict)

    def keep_payments(self, rows: Rows) -> None:
        """Let payments be found by each of their names."""
        for view in acquiring.decode_payments(rows):
            self.payments[view.id] = view
            self.by_request[view.merchant_id, view.client_ref, view.request_ref] = view
            if view.order_code:
                self.by_order_code[view.order_code] = view

    def keep_refunds(self, rows: Rows) -> None:
        for view in acquiring.decode_refunds(rows):
            self.refunds[view.merchant_id, view.client_ref, view.request_ref] = view
            self.refunds_by_id[view.id] = view

    def keep_captures(self, rows: Rows) -> None:
        for view in acquiring.decode_captures(rows):
            self.captures[view.merchant_id, view.client_ref, view.request_ref] = view
            self.captures_by_id[view.id] = view

    def keep_amount_updates(self, rows: Rows) -> None:
        for view in acquiring.decode_amount_updates(rows):
            self.amount_updates[view.merchant_id, view.client_ref, view.request_ref] = view

    def keep_quotes(self, rows: Rows) -> None:
        self.quotes.update(fx.decode_quotes(rows))

    def keep_disputes(self, rows: Rows) -> None:
        self.disputes.update((view.id, view) for view in acquiring.decode_disputes(rows))

    def keep_merchants(self, rows: Rows) -> None:
        self.merchants.update(acquiring.decode_merchants(rows))

    def keep_devices(self, rows: Rows) -> None:
        self.devices.update(wallet.decode_devices(rows))

    def keep_wallets(self, rows: Rows) -> None:
        self.wallets.update(wallet.decode_wallets(rows))

    def keep_authorizations(self, rows: Rows) -> None:
        self.authorizations.update(wallet.decode_authorizations(rows))

    def keep_agreements(self, rows: Rows) -> None:
        """Let agreements be found by each of their names."""
        for view in acquiring.decode_agreements(rows):
            self.agreements[view.id] = view
            self.by_consent_code[view.consent_code] = view
            self.by_grant[view.merchant_id, view.grant_hash] = view
            if view.access_hash:
                self.by_access[view.merchant_id, view.access_hash] = view
            if view.refresh_hash:
                self.by_grant[view.merchant_id, view.refresh_hash] = view

    def keep_wallet_agreements(self, rows: Rows) -> None:
        self.wallet_agreements.update(wallet.decode_agreements(rows))

    def total(self, asked: risk.Lookup) -> risk.Total:
        """What the counters hold for a limit; nothing was ever counted for what is not there."""
        return self.totals.get(asked, risk.Total())

    def keep_subscriptions(self, rows: Rows) -> None:
        for view in acquiring.decode_subscriptions(rows):
            self.subscriptions[view.id] = view
            self.subscriptions_by_request[view.merchant_id, view.client_ref, view.request_ref] = view

    def keep_subscription_changes(self, rows: Rows) -> None:
        for one in acquiring.decode_subscription_changes(rows):
            self.subscription_changes[one.merchant_id, one.client_ref, one.event, one.request_ref] = one

    def payment_of(self, command: Command) -> acquiring.PaymentView | None:
        """The payment a command is about, if there is one already."""
        match command:
            case Pay():
                return self.by_request.get((command.merchant_id, command.client_ref, command.request_ref))
            case Renew():
                return self.by_request.get((command.merchant_id, command.client_ref, command.payment_ref))
            case Cancel():
                return self._named(command.merchant_id, command.payment_id) or self._requested(command)
            case Refund() | Capture() | UpdateAmount() | Expire() | Settle() | Told():
                return self._named(command.merchant_id, command.payment_id)
            case _ if isinstance(command, DisputeCommand):
                return self._named(command.merchant_id, command.payment_id)
            case Claim():
                return self.by_order_code.get(command.order_code)
            case Confirm() | Decline():
                known = self.authorizations.get(command.authorization_id)
                return self.payments.get(known.payment_id) if known else None
            case SettleRefund():
                refund = self.refunds_by_id.get(command.refund_id)
                return self._named(command.merchant_id, refund.payment_id) if refund else None
            case _:
                return None

    def agreement_of(self, command: Command) -> acquiring.AgreementView | None:
        """The agreement a command is about, if there is one already."""
        match command:
            case Pay() if command.agreement_id:
                return self._agreed(command.merchant_id, command.agreement_id)
            case Pay() if command.token_hash:
                return self.by_access.get((command.merchant_id, command.token_hash))
            case OpenAgreement():
                return self.agreements.get(command.id)
            case ApproveAgreement() | DeclineAgreement():
                return self.by_consent_code.get(command.consent_code)
            case ApplyToken():
                return self.by_grant.get((command.merchant_id, command.grant_hash))
            case RevokeToken():
                return self.by_access.get((command.merchant_id, command.access_hash))
            case EndAgreement():
                own = self.wallet_agreements.get(command.agreement_id)
                return self.agreements.get(own.id) if own and own.wallet_id == command.wallet_id else None
            case OpenSubscription() | ChangeSubscription() | EndSubscription() | Renew():
                known = self.subscription_of(command)
                return self.agreements.get(known.id) if known else None
            case _:
                return None

    def subscription_of(self, command: Command) -> acquiring.SubscriptionView | None:
        """The subscription a command is about, if there is one already."""
        match command:
            case OpenSubscription():
                asked = command.agreement
                return self.subscriptions_by_request.get(
                    (asked.merchant_id, asked.client_ref, command.request_ref)
                )
            case EndSubscription() if command.subscription_id is None:
                return self.subscriptions_by_request.get(
                    (command.merchant_id, command.client_ref, command.request_ref or "")
                )
            case ChangeSubscription() | EndSubscription() | Renew():
                found = self.subscriptions.get(command.subscription_id) if command.subscription_id else None
                return found if found and found.merchant_id == command.merchant_id else None
            case _:
                agreement = self.agreement_of(command)
                return self.subscriptions.get(agreement.id) if agreement else None

    def _agreed(self, merchant_id: UUID, agreement_id: UUID) -> acquiring.AgreementView | None:
        """An agreement by our id, if it is this merchant's."""
        found = self.agreements.get(agreement_id)
        return found if found and found.merchant_id == merchant_id else None

    def authorization_of(self, payment: acquiring.PaymentView) -> wallet.AuthorizationView | None:
        """What our own wallet was last asked for this payment, if it was asked."""
        return self.authorizations.get(payment.authorization_id) if payment.authorization_id else None

    def _named(self, merchant_id: UUID, payment_id: UUID | None) -> acquiring.PaymentView | None:
        """A payment by our id, if it is this merchant's."""
        found = self.payments.get(payment_id) if payment_id else None
        return found if found and found.merchant_id == merchant_id else None

    def _requested(self, command: Cancel) -> acquiring.PaymentView | None:
        """Our id wins: the request id counts only where none was given."""
        if command.payment_id is not None or command.request_ref is None:
            return None
        return self.by_request.get((command.merchant_id, command.client_ref, command.request_ref))


#: A statement to load something, and what to do with its rows.
_Load = tuple[Statement, Callable[[list[Any]], None]]


def load(commands: Sequence[Command], now: datetime, desk: Desk) -> Flow[World]:
    """Load everything `commands` touch; the caller has the books.

    What the commands name themselves comes with the first trip; what only the loaded records name
    (a payment's authorization, its merchant) with a second, when there is any.
    """
    world = World(now, desk)
    named = [*_requests(commands, world), *_travellers(commands, world), *_agreements(commands, world)]
    yield from _fetch([*named, *_rates(world)])
    yield from _fetch(_named_by_records(commands, world))
    # A subscription that is named by its request leads to its agreement, and only that to the wallet.
    missing = {
        (a.wallet_id, a.id)
        for a in world.agreements.values()
        if a.wallet_id and a.id not in world.wallet_agreements
    }
    if missing:
        day = china_day(now)
        yield from _fetch([(wallet.agreements(list(missing), day), world.keep_wallet_agreements)])
    return world


def _fetch(loads: list[_Load]) -> Flow[None]:
    if not loads:
        return
    rows = yield [statement for statement, _ in loads]
    for (_, keep), found in zip(loads, rows, strict=True):
        keep(found)


def _requests(commands: Sequence[Command], world: World) -> list[_Load]:
    """Payments, refunds and merchants by the names the commands give them."""
    loads: list[_Load] = []
    asked = {
        (c.merchant_id, c.client_ref, c.request_ref)
        for c in commands
        if isinstance(c, Pay | Cancel) and c.request_ref
    }
    if asked:
        loads.append((acquiring.payments_by_request(list(asked)), world.keep_payments))
    named = {
        (c.merchant_id, c.payment_id)
        for c in commands
        if isinstance(c, Cancel | Refund | Capture | UpdateAmount | Expire | Settle | Told | DisputeCommand)
        and c.payment_id
    }
    if named:
        loads.append((acquiring.payments_by_id(list(named)), world.keep_payments))
    if codes := {c.order_code for c in commands if isinstance(c, Claim)}:
        loads.append((acquiring.payments_by_order_code(list(codes)), world.keep_payments))
    asking = (c for c in commands if isinstance(c, Pay | AskPrice | Refund | OpenAgreement | Renew))
    merchants = {c.merchant_id for c in asking}
    merchants |= {c.agreement.merchant_id for c in commands if isinstance(c, OpenSubscription)}
    if merchants:
        loads.append((acquiring.merchants(list(merchants)), world.keep_merchants))
    if refunds := {(c.merchant_id, c.client_ref, c.request_ref) for c in commands if isinstance(c, Refund)}:
        loads.append((acquiring.refunds_by_request(list(refunds)), world.keep_refunds))
    if captures := {(c.merchant_id, c.client_ref, c.request_ref) for c in commands if isinstance(c, Capture)}:
        loads.append((acquiring.captures_by_request(list(captures)), world.keep_captures))
    if given := {(c.merchant_id, c.capture_id) for c in commands if isinstance(c, Refund) and c.capture_id}:
        loads.append((acquiring.captures_by_id(list(given)), world.keep_captures))
    if updates := {
        (c.merchant_id, c.client_ref, c.request_ref) for c in commands if isinstance(c, UpdateAmount)
    }:
        loads.append((acquiring.amount_updates_by_request(list(updates)), world.keep_amount_updates))
    if answered := {(c.merchant_id, c.refund_id) for c in commands if isinstance(c, SettleRefund)}:
        loads.append((acquiring.refunds_by_id(list(answered)), world.keep_refunds))
    if disputes := {(c.merchant_id, c.dispute_id) for c in commands if isinstance(c, DisputeCommand)}:
        loads.append((acquiring.disputes_by_id(list(disputes)), world.keep_disputes))
        loads.append((acquiring.refunds_by_id(list(disputes)), world.keep_refunds))
    if quotes := {c.quote.id for c in commands if isinstance(c, Pay) and c.quote}:
        loads.append((fx.load_quotes(list(quotes)), world.keep_quotes))
    return loads


def _travellers(commands: Sequence[Command], world: World) -> list[_Load]:
    """Devices, and the wallets and authorizations of travellers who act themselves."""
    loads: list[_Load] = []
    day = china_day(world.now)
    numbers = {wallet.device_number(c.code) for c in commands if isinstance(c, Pay) and c.code}
    numbers |= {c.device for c in commands if isinstance(c, Claim | Confirm)}
    if phones := [number for number in numbers if number is not None]:
        loads.append((wallet.devices(phones, world.now, day), world.keep_devices))
    if wallets := {c.wallet_id for c in commands if isinstance(c, Claim | Confirm | ApproveAgreement)}:
        loads.append((wallet.wallets(list(wallets), day), world.keep_wallets))
    if keys := {(c.wallet_id, c.authorization_id) for c in commands if isinstance(c, Confirm | Decline)}:
        loads.append((wallet.authorizations(list(keys)), world.keep_authorizations))
    return loads


def _agreements(commands: Sequence[Command], world: World) -> list[_Load]:
    """Agreements and subscriptions by the names the commands give them."""
    loads: list[_Load] = []
    tokens = {(c.merchant_id, c.token_hash) for c in commands if isinstance(c, Pay) and c.token_hash}
    tokens |= {(c.merchant_id, c.access_hash) for c in commands if isinstance(c, RevokeToken)}
    if tokens:
        loads.append((acquiring.agreements_by_access(list(tokens)), world.keep_agreements))
    if grants := {(c.merchant_id, c.grant_hash) for c in commands if isinstance(c, ApplyToken)}:
        loads.append((acquiring.agreements_by_grant(list(grants)), world.keep_agreements))
    if codes := {c.consent_code for c in commands if isinstance(c, ApproveAgreement | DeclineAgreement)}:
        loads.append((acquiring.agreements_by_code(list(codes)), world.keep_agreements))
    if opened := {(c.merchant_id, c.id) for c in commands if isinstance(c, OpenAgreement)}:
        loads.append((acquiring.agreements_by_id(list(opened)), world.keep_agreements))
    if own := {(c.wallet_id, c.agreement_id) for c in commands if isinstance(c, EndAgreement)}:
        loads.append((wallet.agreements(list(own), china_day(world.now)), world.keep_wallet_agreements))
    return [*loads, *_subscriptions(commands, world)]


def _subscriptions(commands: Sequence[Command], world: World) -> list[_Load]:
    """Subscriptions, what was changed of them, and the payments of their phases."""
    loads: list[_Load] = []
    asked = [c for c in commands if isinstance(c, OpenSubscription)]
    keys = {(c.agreement.merchant_id, c.agreement.client_ref, c.request_ref) for c in asked}
    keys |= {
        (c.merchant_id, c.client_ref, c.request_ref)
        for c in commands
        if isinstance(c, EndSubscription) and c.request_ref
    }
    if keys:
        loads.append((acquiring.subscriptions_by_request(list(keys)), world.keep_subscriptions))
    named = {
        (c.merchant_id, c.subscription_id)
        for c in commands
        if isinstance(c, ChangeSubscription | EndSubscription | Renew) and c.subscription_id
    }
    if named:
        loads.append((acquiring.subscriptions_by_id(list(named)), world.keep_subscriptions))
        loads.append((acquiring.agreements_by_id(list(named)), world.keep_agreements))
    changes = {
        (c.merchant_id, c.client_ref, c.event, c.request_ref)
        for c in commands
        if isinstance(c, ChangeSubscription)
    }
    if changes:
        found = acquiring.subscription_changes_by_request(list(changes))
        loads.append((found, world.keep_subscription_changes))
    renewed = {(c.merchant_id, c.client_ref, c.payment_ref) for c in commands if isinstance(c, Renew)}
    if renewed:
        loads.append((acquiring.payments_by_request(list(renewed)), world.keep_payments))
    return loads


def _rates(world: World) -> list[_Load]:
    if not world.desk.due(world.now):
        return []
    return [(fx.latest_rates(), lambda rows: world.desk.rates_are(fx.decode_rates(rows), world.now))]


def _named_by_records(commands: Sequence[Command], world: World) -> list[_Load]:
    """A confirmed authorization's payment; a touched payment's authorization, merchant and asked quote; what
    the price of another amount depends on."""
    loads: list[_Load] = []
    payments = {(a.merchant_id, a.payment_id) for a in world.authorizations.values()}
    payments |= {
        (r.merchant_id, r.payment_id)
        for c in commands
        if isinstance(c, SettleRefund) and (r := world.refunds_by_id.get(c.refund_id))
    }
    if payments:
        loads.append((acquiring.payments_by_id(list(payments)), world.keep_payments))
    touched = [p for c in commands if not isinstance(c, Pay) and (p := world.payment_of(c))]
    if keys := {(p.wallet_id, p.authorization_id) for p in touched if p.wallet_id and p.authorization_id}:
        loads.append((wallet.authorizations(list(keys)), world.keep_authorizations))
    changed = [p for c in commands if isinstance(c, UpdateAmount) and (p := world.payment_of(c))]
    if purses := {p.wallet_id for p in changed if p.wallet_id}:
        loads.append((wallet.wallets(list(purses), china_day(world.now)), world.keep_wallets))
    merchants = {p.merchant_id for p in touched} | {a.merchant_id for a in world.agreements.values()}
    if merchants := merchants - world.merchants.keys():
        loads.append((acquiring.merchants(list(merchants)), world.keep_merchants))
    claimed = [p for c in commands if isinstance(c, Claim) and (p := world.payment_of(c))]
    quotes = {p.quote_id for p in changed if p.quote_id}
    quotes |= {p.asked_quote_id for p in claimed if p.asked_quote_id}
    if quotes:
        loads.append((fx.load_quotes(list(quotes)), world.keep_quotes))
    return [*loads, *_other_sides(commands, world)]


def _other_sides(commands: Sequence[Command], world: World) -> list[_Load]:
    """Of each agreement the side that was not named, and the wallet that is to be debited."""
    loads: list[_Load] = []
    day = china_day(world.now)
    ended = {(a.merchant_id, a.id) for a in world.wallet_agreements.values()}
    ended |= {(s.merchant_id, s.id) for s in world.subscriptions.values()}
    if others := {key for key in ended if key[1] not in world.agreements}:
        loads.append((acquiring.agreements_by_id(list(others)), world.keep_agreements))
    moved = [c for c in commands if isinstance(c, ApproveAgreement | DeclineAgreement | RevokeToken)]
    ended |= {(a.merchant_id, a.id) for c in moved if (a := world.agreement_of(c))}
    if wanted := {key for key in ended if key[1] not in world.subscriptions}:
        loads.append((acquiring.subscriptions_by_id(list(wanted)), world.keep_subscriptions))
    if own := {(a.wallet_id, a.id) for a in world.agreements.values() if a.wallet_id}:
        loads.append((wallet.agreements(list(own), day), world.keep_wallet_agreements))
    debited = {a.wallet_id for c in commands if isinstance(c, Pay | Renew) and (a := world.agreement_of(c))}
    if purses := [one for one in debited if one]:
        loads.append((wallet.wallets(purses, day), world.keep_wallets))
    return loads
