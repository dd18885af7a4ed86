"""What the operations stand on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar
from uuid import UUID

from comptoir.flows.api import Command, Outcome
from comptoir.kernel.errors import InvalidValue
from comptoir.kernel.ids import parse_id
from comptoir.kernel.statements import Flow, Rows, Statement
from comptoir.standards import order_code
from comptoir.standards.antom.messages import Result
from comptoir.standards.antom.results import ResultCode
from comptoir.wallet.api import OWN_ISSUER

#: Method types that mean "a wallet, whichever": in-store classes send the first, cashiers the second.
OWN_METHOD_TYPES: Final = frozenset({"CONNECT_WALLET", "ALIPAY_CN", OWN_ISSUER})

T = TypeVar("T")

Submit = Callable[[Command], Awaitable[Outcome]]
Read = Callable[[Sequence[Statement]], Awaitable[list[Rows]]]


@dataclass(frozen=True, slots=True)
class Services:
    """`submit` hands a command to the engine, `read` runs statements outside it, `public_url` is where
    travellers and buyers reach us (HTTPS, or this very machine; raises InvalidValue otherwise).
    `wallet_currencies` are those that our own wallets pay in, `issuers` the names of the other wallets."""

    submit: Submit
    read: Read
    public_url: str
    wallet_currencies: tuple[str, ...]
    issuers: tuple[str, ...]

    async def run(self, flow: Flow[T]) -> T:
        """The value of a flow that only reads, each of its steps in one round trip."""
        try:
            wanted = next(flow)
            while True:
                wanted = flow.send(await self.read(wanted))
        except StopIteration as end:
            value: T = end.value
            return value

    def method_types(self, *, scanned: bool) -> frozenset[str]:
        """What paymentMethodType may be: other issuers pay only when their code was `scanned`, since what
        their wallets' holders agreed to, or how they are asked online, they alone know."""
        return OWN_METHOD_TYPES | frozenset(self.issuers) if scanned else OWN_METHOD_TYPES

    def __post_init__(self) -> None:
        order_code.build(self.public_url, order_code.new_digits())


def id_or_none(text: str | None) -> UUID | None:
    """One of our ids, or None for anything else: what is not an id of ours names nothing."""
    if not text:
        return None
    try:
        return parse_id(text, "id")
    except InvalidValue:
        return None


def wallet_refusal(name: str, field: str, known: frozenset[str] = OWN_METHOD_TYPES) -> Result | None:
    """The refusal of a payment method that is none of those that are `known`; None for one that is."""
    if name in known:
        return None
    words = f"{field} must be one of {', '.join(sorted(known))}"
    return Result.of(ResultCode.UNAVAILABLE_PAYMENT_METHOD, words)
