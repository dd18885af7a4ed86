"""Everything that spans contexts: the payment engine, what follows from it, and the proof over it all.

A payment touches acquiring, wallet, fx and the ledger, and none of them knows the others. Here they
meet: `decisions` says what is to happen, `engine` makes it happen once, `issuers`, `notifications` and
`worker` see to what comes after the commit, `verification` proves that all records agree.

Glossary. *Command*: what is asked of the engine (Pay, Confirm, Cancel ...), with everything the decision
needs from outside. *Outcome*: the answer to one command, with a dotted code. *Batch*: the commands that
share one database transaction. *World*: the state that they touch, as loaded. *Wave*: the commands of a
batch that touch nothing in common and so are decided in one world; almost always a batch is one wave.
*Decision*: what one command does in its world: records as they will stand, transfers, and what holds
instead if the books refuse the transfers. *Task*: work for the worker, recorded by the same commit.

Invariants:
- one batch is one transaction, and its first statement takes the books' lock;
- a batch has exactly the effect of its commands one after another; those that touch the same payment, refund,
  wallet or code in the order in which they came;
- a decision happens whole or not at all; a refused command refuses nobody else's;
- a command that is repeated moves no money a second time;
- decisions are pure: all they know is the command and the world, and all they make is the decision
  (with fresh ids, and quotes that only the commit makes promises);
- nobody outside is called in a transaction: the intent is committed, then they are asked, then the
  answer is committed; no answer means unknown, asked for again by the same id and never guessed.

Called by: the gateway and the commands through `api` (and `wire`, the words that answers and
notifications share), the worker's process through `worker`, and config, which starts the engine.
Knows none of them.
"""
