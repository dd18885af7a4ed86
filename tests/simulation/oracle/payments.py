"""The rules of payments: asked for, scanned, claimed, confirmed, refused, canceled, too late."""

from __future__ import annotations

from datetime import datetime, timedelta

from comptoir.acquiring.api import CaptureMode, PaymentView, Product, Scenario
from comptoir.acquiring.api import errors as acquiring
from comptoir.flows import api as flows
from comptoir.fx.api import errors as fx
from comptoir.kernel.clock import CHINA
from comptoir.ledger.api import Role
from comptoir.standards.payment_code import window_of
from comptoir.wallet.api import errors as wallet
from tests.simulation.oracle.agreements import debit_refusal, debtor
from tests.simulation.oracle.captures import let_go, release
from tests.simulation.oracle.kept import Kept, china_day, ours, theirs
from tests.simulation.oracle.prices import promised
from tests.simulation.oracle.types import Ask, Payment, Promise, Purse, Terms, Wrong


def pay(kept: Kept, command: flows.Pay, outcome: flows.Outcome, now: datetime) -> str:
    """A payment is asked for."""
    key = (command.merchant_id, command.client_ref, command.request_ref)
    known = kept.payments.get(key)
    if known is not None:
        return current(known) if _what(command) == _what(known.command) else acquiring.REQUEST_REUSED
    unasked = command.product is Product.AGREEMENT
    if command.capture_mode is not None and (unasked or command.issuer is not None):
        return acquiring.AUTHORIZATION_NOT_OFFERED
    terms = kept.terms[command.merchant_id]
    if command.amount.currency not in terms.currencies:
        return acquiring.CURRENCY_NOT_SUPPORTED
    promise = promised(kept, command, now)
    if isinstance(promise, str):
        return promise
    made = outcome.payment
    if made is None:
        raise Wrong(f"{command} was answered {outcome.code} and not recorded")
    payment = Payment(
        made.id,
        command,
        "PROCESSING",
        now,
        _expiry(command, terms, promise, now),
        command.amount,
        kept.converted(command.amount.minor, command.amount.currency, "EUR"),
    )
    payment.promise = promise
    if made.id in kept.by_id:
        raise Wrong(f"two payments have the id {made.id}")
    kept.payments[key] = kept.by_id[made.id] = payment
    if command.issuer is not None:
        payment.issuer = command.issuer
        kept.hold(theirs(payment, payment.amount.minor, payment.settlement))
    elif command.scenario is Scenario.PAYMENT_CODE:
        _scan(kept, payment, command.code or "", made, now)
    elif command.product is Product.AGREEMENT:
        _debit(kept, payment, made, now)
    else:
        if not made.order_code or made.order_code in kept.by_order:
            raise Wrong(f"an order has no code of its own: {made.order_code}")
        kept.by_order[made.order_code] = payment
    return current(payment)


def _expiry(command: flows.Pay, terms: Terms, promise: Promise | None, now: datetime) -> datetime:
    """A session waits for an hour, anything else as the contract says; none longer than its price holds."""
    seconds = terms.in_store_s if command.product is Product.IN_STORE else terms.online_s
    ends = now + (timedelta(hours=1) if command.session else timedelta(seconds=seconds))
    return min(ends, promise.until) if promise else ends


def _what(command: flows.Pay) -> tuple[object, ...]:
    """What must be the same for a repeat to be one."""
    price = command.quote.id if command.quote else None
    what = command.product, command.session, command.amount, command.method_type, command.code
    return (*what, command.token_hash, price, command.capture_mode)


def _scan(kept: Kept, payment: Payment, code: str, made: PaymentView, now: datetime) -> None:
    phone = kept.phones.get(int(code[2:10]))
    if phone is None:
        return fail(kept, payment, wallet.CODE_INVALID, now)
    if phone.locked_until is not None and now < phone.locked_until:
        return fail(kept, payment, wallet.DEVICE_LOCKED, now)
    use, window = phone.made.get(code), window_of(now)
    if use is None or use[0] < window - 21 or use[0] > window + 1:
        phone.bad += 1
        if phone.bad == 5:
            phone.bad, phone.locked_until = 0, now + timedelta(minutes=15)
        return fail(kept, payment, wallet.CODE_INVALID, now)
    if use[0] < window - 1:
        return fail(kept, payment, wallet.CODE_EXPIRED, now)
    if use in phone.used:
        return fail(kept, payment, wallet.CODE_USED, now)
    phone.used.add(use)
    if phone.bad:
        phone.bad, phone.locked_until = 0, None
    ask = _offer(kept, payment, phone.purse, made, now)
    ask.shown = phone.number
    refused = _refusal(phone.purse, ask, now)
    if refused is None and ask.total > phone.purse.no_pin:
        kept.asks[ask.id] = ask
        return None
    if refused is None and kept.free(phone.purse.id, Role.WALLET, "CNY") < ask.total:
        refused = wallet.BALANCE_INSUFFICIENT
    if refused is not None:
        return fail(kept, payment, refused, now)
    kept.asks[ask.id] = ask
    return _paid(kept, payment, ask, now)


def _debit(kept: Kept, payment: Payment, made: PaymentView, now: datetime) -> None:
    agreement = debtor(kept, payment.command)
    if agreement is None or agreement.purse is None:
        named = payment.command.agreement_id is not None
        code = acquiring.AGREEMENT_CLOSED if named else acquiring.ACCESS_TOKEN_INVALID
        return fail(kept, payment, code, now)
    ask = _offer(kept, payment, agreement.purse, made, now)
    refused = debit_refusal(agreement, ask, now) or _refusal(agreement.purse, ask, now)
    if refused is None and kept.free(agreement.purse.id, Role.WALLET, "CNY") < ask.total:
        refused = wallet.BALANCE_INSUFFICIENT
    if refused is not None:
        return fail(kept, payment, refused, now)
    ask.agreement = agreement
    agreement.asks.append(ask)
    kept.asks[ask.id] = ask
    return _paid(kept, payment, ask, now)


def _offer(kept: Kept, payment: Payment, purse: Purse, made: PaymentView, now: datetime) -> Ask:
    """The price, computed from the rates alone, and compared with what was promised."""
    amount, currency = payment.amount.minor, payment.amount.currency
    mid = kept.converted(amount, currency, "CNY")
    total = kept.converted(amount, currency, "CNY", kept.terms[payment.command.merchant_id].margin_bps)
    said = made.wallet_total.minor if made.wallet_total else None
    if said != total or made.authorization_id is None:
        raise Wrong(f"{amount} {currency} cost {said} fen, and ought to cost {total}")
    if made.quote_until is None or not now < made.quote_until:
        raise Wrong("a price that is not promised any more was charged")
    if payment.promise and (made.quote_id, made.quote_until) != (payment.promise.id, payment.promise.until):
        raise Wrong(f"payment {payment.id} is not charged at the price that was asked for")
    payment.ask = Ask(made.authorization_id, payment, purse, total, total - mid, "waiting", made.quote_until)
    return payment.ask


def _refusal(purse: Purse, ask: Ask, now: datetime) -> str | None:
    if ask.total > purse.most:
        return wallet.PAYMENT_LIMIT
    return wallet.DAY_LIMIT if purse.spent[china_day(now)] + ask.total > purse.day_limit else None


def claim(kept: Kept, command: flows.Claim, outcome: flows.Outcome, now: datetime) -> str:
    """A traveller scans an order code."""
    payment = kept.by_order.get(command.order_code)
    if payment is None:
        return acquiring.PAYMENT_UNKNOWN
    if _strange(kept, command):
        return wallet.DEVICE_UNKNOWN
    if payment.state != "PROCESSING":
        return current(payment)
    if now >= payment.expires:
        close(kept, payment, acquiring.PAYMENT_EXPIRED, now)
        return current(payment)
    purse, before = kept.purses[command.wallet_id], payment.ask
    if before is not None and before.purse is purse and before.state == "waiting" and now < before.until:
        return flows.IN_PROCESS
    if outcome.payment is None:
        raise Wrong(f"{command} was answered without a payment")
    if before is not None and before.state == "waiting":
        before.state = "cancelled"
    ask = _offer(kept, payment, purse, outcome.payment, now)
    if ask.id in kept.asks:
        raise Wrong("a claim was given another's authorization")
    ask.acted_on = command.device
    kept.asks[ask.id] = ask
    return flows.IN_PROCESS


def _strange(kept: Kept, command: flows.Claim | flows.Confirm) -> bool:
    """Whether it is done on a phone, and not on one of the wallet's."""
    phone = kept.phones.get(command.device or 0)
    return command.device is not None and (phone is None or phone.purse.id != command.wallet_id)


def _waiting(kept: Kept, command: flows.Confirm | flows.Decline, now: datetime) -> tuple[Ask | None, str]:
    """What waits, or why nothing does."""
    ask = kept.asks.get(command.authorization_id)
    if ask is None or ask.purse.id != command.wallet_id:
        return None, wallet.AUTHORIZATION_UNKNOWN
    if ask.state in ("authorised", "held", "released") and ask.payment.ask is ask:
        return None, current(ask.payment)
    if ask.state != "waiting" or ask.payment.ask is not ask:
        return None, wallet.AUTHORIZATION_CLOSED
    if ask.payment.state != "PROCESSING":
        return None, current(ask.payment)
    if now >= ask.payment.expires:
        close(kept, ask.payment, acquiring.PAYMENT_EXPIRED, now)
        return None, current(ask.payment)
    return ask, ""


def confirm(kept: Kept, command: flows.Confirm, outcome: flows.Outcome, now: datetime) -> str:
    """The traveller approves."""
    ask, code = _waiting(kept, command, now)
    if ask is None:
        return code
    if _strange(kept, command):
        return wallet.DEVICE_UNKNOWN
    if now >= ask.until:
        return fx.QuoteExpired.code
    refused = _refusal(ask.purse, ask, now)
    if refused is None and kept.free(ask.purse.id, Role.WALLET, "CNY") < ask.total:
        refused = wallet.BALANCE_INSUFFICIENT
    if refused is None:
        ask.approved = ask.total
        ask.acted_on = ask.acted_on if command.device is None else command.device
        _paid(kept, ask.payment, ask, now)
    return refused or flows.OK


def decline(kept: Kept, command: flows.Decline, outcome: flows.Outcome, now: datetime) -> str:
    """The traveller refuses."""
    known = kept.asks.get(command.authorization_id)
    if known is not None and known.purse.id == command.wallet_id and known.state == "declined":
        return wallet.DECLINED
    ask, code = _waiting(kept, command, now)
    if ask is None:
        return code
    ask.state = "declined"
    if ask.payment.command.scenario is Scenario.PAYMENT_CODE:
        fail(kept, ask.payment, wallet.DECLINED, now)
    else:
        ask.payment.ask = None
    return wallet.DECLINED


def cancel(kept: Kept, command: flows.Cancel, outcome: flows.Outcome, now: datetime) -> str:
    """A merchant undoes a payment."""
    if command.payment_id is not None:
        payment = kept.named(command.merchant_id, command.payment_id)
    else:
        payment = kept.payments.get((command.merchant_id, command.client_ref, command.request_ref or ""))
    if payment is None:
        return acquiring.PAYMENT_UNKNOWN
    if payment.cancelled:
        return flows.OK
    if payment.refunded:
        return acquiring.CANCEL_AFTER_REFUND
    if payment.state == "SUCCESS" and payment.mode is CaptureMode.MANUAL:
        if payment.captured:
            return acquiring.CANCEL_AFTER_CAPTURE
        release(kept, payment, now)
        return flows.OK
    if payment.state == "SUCCESS":
        if now >= _cancel_closes(payment.finished or payment.created):
            return acquiring.CANCEL_WINDOW
        if kept.too_poor(payment.command.merchant_id, payment.settlement):
            return acquiring.MERCHANT_BALANCE
        _undo(kept, payment, now)
    elif payment.state == "PROCESSING":
        if payment.theirs:
            kept.hold(theirs(payment, payment.amount.minor, payment.settlement), -1)
        elif payment.ask is not None and payment.ask.state == "waiting":
            payment.ask.state = "cancelled"
        payment.finished = now
    if payment.state != "FAIL":
        payment.state = "CANCELLED"
    payment.cancelled = now
    return flows.OK


def _undo(kept: Kept, payment: Payment, now: datetime) -> None:
    if payment.theirs:
        return kept.post(theirs(payment, payment.amount.minor, payment.settlement), -1)
    assert payment.ask is not None
    kept.post(ours(payment, payment.whole), -1)
    payment.ask.refunded = payment.ask.total
    return let_go(payment.ask, payment.ask.total, now)


def expire(kept: Kept, command: flows.Expire, outcome: flows.Outcome, now: datetime) -> str:
    """A payment's time is up, or that of what it holds."""
    payment = kept.named(command.merchant_id, command.payment_id)
    if payment is None:
        return acquiring.PAYMENT_UNKNOWN
    if payment.held and payment.held_until is not None and now >= payment.held_until:
        release(kept, payment, now)
        if not payment.captured:
            payment.lapsed = True
            kept.tell("notify.payment", payment.id, payment)
    elif payment.state == "PROCESSING" and (now >= payment.expires or command.unresolved):
        close(kept, payment, acquiring.PAYMENT_EXPIRED, now)
    return current(payment)


def current(payment: Payment) -> str:
    """What is answered to whoever asks for this payment."""
    return {
        "SUCCESS": flows.OK,
        "PROCESSING": flows.IN_PROCESS,
        "CANCELLED": acquiring.PAYMENT_CANCELLED,
        "FAIL": payment.failure or "",
    }[payment.state]


def fail(kept: Kept, payment: Payment, code: str, now: datetime) -> None:
    """It ends, and nothing has moved."""
    payment.state, payment.failure, payment.finished = "FAIL", code, now
    kept.tell("notify.payment", payment.id, payment)


def close(kept: Kept, payment: Payment, code: str, now: datetime) -> None:
    """It ends although somebody waited for it."""
    if payment.theirs:
        kept.hold(theirs(payment, payment.amount.minor, payment.settlement), -1)
    elif payment.ask is not None and payment.ask.state == "waiting":
        payment.ask.state = "expired"
    fail(kept, payment, code, now)


def _paid(kept: Kept, payment: Payment, ask: Ask, now: datetime) -> None:
    if payment.mode is CaptureMode.MANUAL:
        kept.hold(ours(payment, payment.whole))
        payment.held, payment.held_until, ask.state = True, now + timedelta(days=7), "held"
    else:
        kept.post(ours(payment, payment.whole))
        ask.state = "authorised"
    if payment.mode is CaptureMode.AUTOMATIC:
        payment.captured, payment.took = payment.amount.minor, payment.whole
    ask.purse.spent[china_day(now)] += ask.total
    ask.spent_on = china_day(now)
    payment.state, payment.finished, payment.was_paid = "SUCCESS", now, True
    kept.tell("notify.payment", payment.id, payment)


def _cancel_closes(paid: datetime) -> datetime:
    """A quarter past midnight in China, after the day of the payment."""
    midnight = datetime.combine(china_day(paid) + timedelta(days=1), datetime.min.time(), CHINA)
    return midnight + timedelta(minutes=15)
