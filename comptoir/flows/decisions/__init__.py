"""What each command does, given the state: pure functions from (command, world) to a decision."""

from __future__ import annotations

from comptoir.flows.decisions import agreement, dispute, subscription
from comptoir.flows.decisions.cancel import cancel
from comptoir.flows.decisions.capture import capture, update_amount
from comptoir.flows.decisions.confirm import claim, confirm, decline
from comptoir.flows.decisions.expire import expire
from comptoir.flows.decisions.issuer import settle, settle_refund, told
from comptoir.flows.decisions.pay import pay
from comptoir.flows.decisions.price import ask_price
from comptoir.flows.decisions.refund import refund
from comptoir.flows.engine.decision import Decision
from comptoir.flows.engine.world import World
from comptoir.flows.types import (
    AcceptDispute,
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
    DefendDispute,
    EndAgreement,
    EndSubscription,
    Expire,
    JudgeDispute,
    LookAtDispute,
    OpenAgreement,
    OpenDispute,
    OpenSubscription,
    Pay,
    Refund,
    Renew,
    RevokeToken,
    Settle,
    SettleRefund,
    Told,
    UpdateAmount,
    WithdrawDispute,
)


def decide(command: Command, world: World) -> Decision:
    """What `command` does in this world."""
    match command:
        case Pay():
            return pay(command, world)
        case AskPrice():
            return ask_price(command, world)
        case Confirm():
            return confirm(command, world)
        case Cancel():
            return cancel(command, world)
        case Capture():
            return capture(command, world)
        case UpdateAmount():
            return update_amount(command, world)
        case Refund():
            return refund(command, world)
        case Claim():
            return claim(command, world)
        case Decline():
            return decline(command, world)
        case Expire():
            return expire(command, world)
        case Settle():
            return settle(command, world)
        case SettleRefund():
            return settle_refund(command, world)
        case OpenAgreement():
            return agreement.open_agreement(command, world)
        case ApproveAgreement():
            return agreement.approve(command, world)
        case DeclineAgreement():
            return agreement.decline(command, world)
        case ApplyToken():
            return agreement.apply_token(command, world)
        case RevokeToken():
            return agreement.revoke_token(command, world)
        case EndAgreement():
            return agreement.end_agreement(command, world)
        case OpenSubscription():
            return subscription.open_subscription(command, world)
        case ChangeSubscription():
            return subscription.change_subscription(command, world)
        case EndSubscription():
            return subscription.end_subscription(command, world)
        case Renew():
            return subscription.renew(command, world)
        case Told():
            return told(command, world)
        case OpenDispute():
            return dispute.open_dispute(command, world)
        case AcceptDispute():
            return dispute.accept_dispute(command, world)
        case DefendDispute():
            return dispute.defend_dispute(command, world)
        case JudgeDispute():
            return dispute.judge_dispute(command, world)
        case WithdrawDispute():
            return dispute.withdraw_dispute(command, world)
        case LookAtDispute():
            return dispute.look_at_dispute(command, world)
