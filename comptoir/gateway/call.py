"""What an operation is given, and what it is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from comptoir.gateway.ears import Hear
from comptoir.identity.api import ClientView
from comptoir.standards.antom.messages import Message


@dataclass(frozen=True, slots=True)
class Call:
    """One verified request: who asks, the body as it was signed, and the instant it came in."""

    client: ClientView
    body: bytes
    now: datetime
    request_id: str

    def __repr__(self) -> str:
        return f"Call({self.client.client_ref}, {len(self.body)} bytes, {self.request_id})"


#: Answers one call. May raise ComptoirError, which the door translates; anything else is our failure.
Operation = Callable[[Call], Awaitable[Message]]

#: By the operation's key in the catalogue of paths: ``payments/pay``, ``aps/payments/pay``.
Operations = Mapping[str, Operation]


@dataclass(frozen=True, slots=True)
class Machines:
    """What stands behind the door: the operations, and who hears what upstreams tell us unasked."""

    operations: Operations
    hear: Hear
