"""The acquirer: merchants, their stores and contracts, and the payments they take.

Glossary. *Payment*: a merchant asks, a wallet pays. *Refund*: all or part goes back. *Cancellation*: a
whole payment is undone, or closed before it was paid. *Authorization*: a payment whose money is held, for
*captures* to take. *Contract*: in which currency a merchant is settled, what it may charge in, and the
traveller's margin. *Order code*: what a shop shows to be scanned. *Entry code*: what hangs on a store's
wall for all payments. *Details*: what people read of an order; never part of a decision. *Agreement*: a
merchant may debit a wallet without asking each time; the wallet has its own record of it, with the same id.
*Grant*: what tokens are made from, an authorization code or a refresh token. *Subscription*: a
payment that comes again every period, under an agreement of its own; its *phases* count from 1.

Invariants:
- (merchant, client, request) names one payment for ever, one refund, one capture, one change of an amount;
- PROCESSING becomes SUCCESS, FAIL or CANCELLED once; SUCCESS may become CANCELLED; nothing else moves;
- what was captured never exceeds what was authorized, nor what was refunded what was paid or captured
  (database constraints);
- codes and tokens of agreements are kept as SHA-256 only, and found under their merchant only;
- a phase of a subscription is paid at most once, and never above what its traveller agreed to;
- the books hold exactly what the payments say (`comptoir verify`).

Called by: flows (the payment engine), gateway and web through flows, cli.
"""
