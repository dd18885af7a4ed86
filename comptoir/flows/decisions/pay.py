"""A merchant asks to be paid."""

from __future__ import annotations

from msgspec.structs import replace

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import PaymentState, PaymentView, Product, Scenario
from comptoir.flows.decisions.charge import charge, current, failed
from comptoir.flows.decisions.issuer import open_theirs
from comptoir.flows.decisions.price import asked_quote
from comptoir.flows.engine.decision import Decision, refuse
from comptoir.flows.engine.world import World
from comptoir.flows.types import IN_PROCESS, Outcome, Pay
from comptoir.kernel.errors import ComptoirError
from comptoir.kernel.ids import new_id
from comptoir.standards import order_code
from comptoir.wallet import api as wallet


def pay(command: Pay, world: World) -> Decision:
    """Charge a scanned code or an agreement now, or set up an order to be scanned.

    A repeat gets its first answer.
    """
    method = command.token_hash.hex() if command.token_hash else command.code
    if command.agreement_id is not None:
        method = command.agreement_id.hex
    asked = acquiring.rules.payment_hash(
        f"{command.product}/session" if command.session else command.product,
        command.amount,
        command.method_type,
        method,
        command.quote.id if command.quote else None,
        command.capture_mode,
    )
    known = world.payment_of(command)
    if known is not None:
        if known.input_hash != asked:
            return refuse(acquiring.errors.REQUEST_REUSED, "the request id was used for another payment")
        return Decision(outcome=current(known))
    theirs = command.issuer not in (None, wallet.OWN_ISSUER)
    if command.capture_mode is not None and (theirs or command.product is Product.AGREEMENT):
        who = "the wallet's issuer" if theirs else "an agreement"
        return refuse(
            acquiring.errors.AUTHORIZATION_NOT_OFFERED,
            f"{who} takes payments, not authorizations",
            field="paymentFactor.isAuthorization",
        )
    try:
        payment = _open(command, world, asked)
    except ComptoirError as error:
        return refuse(error.code, error.message, field=error.field)
    if theirs:
        if command.code is None:  # an order that a simulated wallet will scan
            payment = replace(payment, order_code=order_code.new_digits())
        return open_theirs(payment, str(command.issuer), command.code or "", world)
    if command.scenario is Scenario.PAYMENT_CODE:
        return _scanned(command, payment, world)
    if command.product is Product.AGREEMENT:
        return _agreed(command, payment, world)
    shown = replace(payment, order_code=order_code.new_digits())
    return Decision(outcome=Outcome(code=IN_PROCESS, payment=shown), payment=shown)


def _open(command: Pay, world: World, asked: bytes) -> PaymentView:
    """The payment as it is before anybody pays. Raises when it may not be taken at all."""
    merchant = world.merchants.get(command.merchant_id)
    _check_sandbox(command, merchant)
    contract = acquiring.rules.contract_for(merchant, command.amount.currency, command.settlement_currency)
    if command.session:
        expires_at = acquiring.rules.session_expiry(command.expires_at, world.now)
    else:
        expires_at = acquiring.rules.expiry(contract, command.product, command.expires_at, world.now)
    quote = asked_quote(command, contract, world)
    if quote is not None:
        expires_at = min(expires_at, quote.expires_at)
    settlement, rate = world.desk.settlement(command.amount, contract.settlement_currency, world.now)
    return PaymentView(
        id=new_id(),
        merchant_id=command.merchant_id,
        client_ref=command.client_ref,
        request_ref=command.request_ref,
        input_hash=asked,
        product=command.product,
        scenario=command.scenario,
        amount=command.amount,
        settlement=settlement,
        settlement_price=rate.value,
        state=PaymentState.PROCESSING,
        created_at=world.now,
        expires_at=expires_at,
        method_type=command.method_type,
        store_ref=command.store_ref,
        terminal_ref=command.terminal_ref,
        notify_url=command.notify_url,
        redirect_url=command.redirect_url,
        details=command.details,
        asked_quote_id=quote.id if quote else None,
        capture_mode=command.capture_mode,
    )


def _check_sandbox(command: Pay, merchant: acquiring.MerchantView | None) -> None:
    """Test clients pay test merchants out of simulated wallets, and nobody else does. Raises Refused."""
    simulated = (command.issuer or "").startswith(wallet.SIMULATED)
    if merchant is not None and not (command.sandbox == simulated == merchant.sandbox):
        raise acquiring.Refused(
            "a test client is for a test merchant, and only for one",
            code=acquiring.errors.SANDBOX_MISMATCH,
        )
    if simulated and command.product is Product.AGREEMENT:
        raise acquiring.Refused("no agreement is simulated", code=acquiring.errors.NOT_SIMULATED)


def _scanned(command: Pay, payment: PaymentView, world: World) -> Decision:
    """A code was scanned: whose is it, is it good, and may they pay?"""
    code = command.code or ""
    number = wallet.device_number(code)
    device = world.devices.get(number) if number is not None else None
    use = wallet.check_code(code, device, world.now)
    if isinstance(use, str) or device is None:
        reason = use if isinstance(use, str) else wallet.errors.CODE_INVALID
        guessed = number if device is not None and reason == wallet.errors.CODE_INVALID else None
        failed = replace(payment, state=PaymentState.FAIL, failure_code=reason, finished_at=world.now)
        return Decision(outcome=current(failed), payment=failed, bad_device=guessed, notify=True)
    return charge(payment, device.wallet, world, code_use=use)


def _agreed(command: Pay, payment: PaymentView, world: World) -> Decision:
    """A token was presented: whose wallet is it, is the agreement in force, and does it allow so much?"""
    agreement = world.agreement_of(command)
    if command.agreement_id is not None:
        active = agreement is not None and agreement.state is acquiring.AgreementState.ACTIVE
        reason = None if active else acquiring.errors.AGREEMENT_CLOSED
    else:
        reason = acquiring.rules.access_refusal(agreement, world.now)
    if agreement is None or agreement.wallet_id is None or reason is not None:
        return failed(payment, reason or acquiring.errors.ACCESS_TOKEN_INVALID, world)
    own = world.wallet_agreements[agreement.id]
    return charge(payment, world.wallets[agreement.wallet_id], world, agreement=own)
