"""One batch of commands as one flow of statements: the caller opens and commits the transaction.

Commands that touch the same payment, refund, wallet or code are put in successive *waves*: each wave
sees what the one before it wrote, so a batch has exactly the effect of its commands one after another.
So does one of which the risk rules would say something else if an earlier one is paid than if it is not.
Almost always there is one wave. All waves share the transaction and its one commit.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import datetime

from msgspec.structs import replace

from comptoir.flows.decisions import decide
from comptoir.flows.engine import store
from comptoir.flows.engine.decision import Decision
from comptoir.flows.engine.desk import Desk
from comptoir.flows.engine.risk import Certainty, load_for_rules
from comptoir.flows.engine.world import World, load
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
    DefendDispute,
    EndAgreement,
    EndSubscription,
    JudgeDispute,
    LookAtDispute,
    OpenAgreement,
    OpenDispute,
    OpenSubscription,
    Outcome,
    Pay,
    Refund,
    Renew,
    RevokeToken,
    UpdateAmount,
    WithdrawDispute,
)
from comptoir.kernel.errors import InvariantBroken
from comptoir.kernel.statements import Flow, together
from comptoir.ledger import api as ledger
from comptoir.risk import api as risk
from comptoir.wallet import api as wallet


def run_batch(
    commands: Sequence[Command], now: datetime, desk: Desk, request_ids: Sequence[str] = ()
) -> Flow[list[Outcome]]:
    """Take the books and do `commands`; the outcome of each, in order. A refused one refuses no other.

    Nothing has happened until the caller's transaction commits, and then all of it has. `request_ids` are
    those of the requests behind the commands, in order, or none: what the outbox gets carries them.
    """
    [locked] = yield [ledger.lock()]
    return (yield from run_with_books(commands, now, desk, ledger.epoch(locked), request_ids))


def run_with_books(
    commands: Sequence[Command], now: datetime, desk: Desk, epoch: int, request_ids: Sequence[str] = ()
) -> Flow[list[Outcome]]:
    """Do `commands` as `run_batch` does, for a caller who has the books already, and `epoch` with them."""
    desk.begin()
    if epoch != desk.epoch:
        [rows] = yield [risk.newest_rules()]
        desk.rules_are(risk.decode_rules(rows), epoch)
    outcomes: list[Outcome | None] = [None] * len(commands)
    waiting = list(range(len(commands)))
    while waiting:
        left = [commands[i] for i in waiting]
        world = yield from load(left, now, desk)
        yield from load_for_rules(left, world)
        wave, waiting = _next_wave(commands, waiting, world)
        decisions = [decide(commands[i], world) for i in wave]
        decisions = yield from _post(decisions)
        asked_by = [request_ids[i] for i in wave] if request_ids else [""] * len(wave)
        if work := store.statements(decisions, desk, now, asked_by):
            yield [together(work)]
        for i, decision in zip(wave, decisions, strict=True):
            outcomes[i] = decision.outcome
    return [outcome for outcome in outcomes if outcome is not None]


def _next_wave(commands: Sequence[Command], waiting: list[int], world: World) -> tuple[list[int], list[int]]:
    """The commands that touch nothing an earlier one of them touches, and the rest, in order."""
    taken: set[Hashable] = set()
    certainty = Certainty(world)
    wave: list[int] = []
    rest: list[int] = []
    for i in waiting:
        subjects = _subjects(commands[i], world)
        joins = certainty.joins(commands[i], free=not taken & subjects)
        (wave if joins else rest).append(i)
        taken |= subjects
    return wave, rest


def _subjects(command: Command, world: World) -> set[Hashable]:
    """Everything whose state this command reads and may change, under one name each."""
    subjects: set[Hashable] = set()
    payment = world.payment_of(command)
    if payment is not None:
        subjects.add(("payment", payment.merchant_id, payment.client_ref, payment.request_ref))
        if payment.wallet_id:
            subjects.add(("wallet", payment.wallet_id))
    subscription = world.subscription_of(command)
    if subscription is not None:
        subjects.add(("agreement", subscription.id))
    agreement = world.agreement_of(command)
    if agreement is not None:
        subjects.add(("agreement", agreement.id))
        if agreement.wallet_id:
            subjects.add(("wallet", agreement.wallet_id))
    match command:
        case Pay():
            subjects.add(("payment", command.merchant_id, command.client_ref, command.request_ref))
            device = world.devices.get(wallet.device_number(command.code) or -1) if command.code else None
            if device is not None:
                subjects.add(("wallet", device.wallet.id))
            if command.token_hash:
                subjects.add(("token", command.merchant_id, command.token_hash))
        case Cancel() if command.request_ref and command.payment_id is None:
            subjects.add(("payment", command.merchant_id, command.client_ref, command.request_ref))
        case Refund():
            subjects.add(("refund", command.merchant_id, command.client_ref, command.request_ref))
        case Capture():
            subjects.add(("capture", command.merchant_id, command.client_ref, command.request_ref))
        case UpdateAmount():
            subjects.add(("update", command.merchant_id, command.client_ref, command.request_ref))
        case Claim() | Confirm() | Decline() | ApproveAgreement() | EndAgreement():
            subjects.add(("wallet", command.wallet_id))
        case OpenDispute() | AcceptDispute() | DefendDispute() | JudgeDispute():
            subjects.add(("dispute", command.merchant_id, command.dispute_id))
        case WithdrawDispute() | LookAtDispute():
            subjects.add(("dispute", command.merchant_id, command.dispute_id))
        case AskPrice():
            pass  # it reads merchants and rates, and changes neither
        case OpenAgreement():
            subjects.add(("agreement", command.id))
        case ApplyToken():
            # What is made now is not found by its name before the next wave.
            tokens = (command.grant_hash, command.access_hash, command.refresh_hash)
            subjects.update(("token", command.merchant_id, one) for one in tokens)
        case RevokeToken():
            subjects.add(("token", command.merchant_id, command.access_hash))
        case OpenSubscription():
            asked = command.agreement
            subjects.add(("subscription", asked.merchant_id, asked.client_ref, command.request_ref))
        case ChangeSubscription():
            subjects.add(
                ("change", command.merchant_id, command.client_ref, command.event, command.request_ref)
            )
        case EndSubscription() if command.request_ref and command.subscription_id is None:
            subjects.add(("subscription", command.merchant_id, command.client_ref, command.request_ref))
        case Renew():
            subjects.add(("payment", command.merchant_id, command.client_ref, command.payment_ref))
        case _:
            pass
    return subjects


def _post(decisions: list[Decision]) -> Flow[list[Decision]]:
    """Post what the decisions move; each that the books refuse becomes what it said it would be then."""
    transfers = [
        replace(transfer, group=number) for number, one in enumerate(decisions) for transfer in one.transfers
    ]
    if not transfers:
        return decisions
    opening = [statement for one in decisions for statement in one.accounts]
    *_, rows = yield [*opening, ledger.post(transfers)]
    reasons: dict[int, str] = {}
    for position, code in ledger.refusals(rows).items():
        number = transfers[position].group
        if number is not None and code != ledger.LINKED:
            reasons.setdefault(number, code)
    return [_settled(one, reasons.get(number)) for number, one in enumerate(decisions)]


def _settled(decision: Decision, reason: str | None) -> Decision:
    """A floor is an everyday refusal; any other refusal means that the records and the books disagree."""
    if reason is None:
        return decision
    if reason != ledger.FLOOR or decision.if_refused is None:
        raise InvariantBroken(f"the books refused a posting with {reason}")
    return decision.if_refused
