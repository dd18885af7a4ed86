"""Notifications: what merchants are told unasked, until they say that they heard it.

The engine writes an outbox item in the transaction that makes a payment, a refund, a capture or a change of
an authorized amount final, or gives an agreement tokens or ends it; the worker delivers it. The topic says
which (`flows.topics`), owner is the merchant, subject the record, payload ``{"url": …, "client_ref": …}``.
The first try writes the body, out of the record as it stands then, and leaves it with the item.

What a merchant may rely on, and what not (docs.antom.com, "Payment notification"):

- **At least once.** The same notification may come twice: after a lost acknowledgment, after a worker
  was killed. Receivers tell repeats by the request's id.
- **In any order.** A refund's may overtake its payment's.
- **The same words.** Every try says what the first said, and so does the replay (decision 0046). What became
  of the record meanwhile, an inquiry tells. Only an agreement's are written anew: they hold a token.
- **Eight tries** in about a day (`schedule`), each with a fresh time and signature. Then the item is
  dead: it stays in the outbox with its last error. Inquiry is the way to the truth at any time.
- **Heard** is HTTP 200 with result SUCCESS, S, success, within 10 s and 16 KiB. Nothing else is.

Address, then sending, then judgment: `addresses` (where we may connect to), `sending` (one bounded
POST), `bodies` (what is said), `delivery` (all of it for one item). `replay` tells it again on demand.
"""

from __future__ import annotations

from comptoir.flows.notifications.delivery import (
    TOPICS,
    Courier,
    PlatformKey,
    addressed,
    load,
)
from comptoir.flows.notifications.replay import KINDS, Event, event, events
from comptoir.flows.notifications.sending import Sender

__all__ = [
    "KINDS",
    "TOPICS",
    "Courier",
    "Event",
    "PlatformKey",
    "Sender",
    "addressed",
    "event",
    "events",
    "load",
]
