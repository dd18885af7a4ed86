"""Identity: who people are, and which machines may speak for whom.

*Person*: somebody who logs in, with one role and the merchant or office it belongs to. *Client*: a
machine (a till, a shop's server) that signs its requests; its *client ref* is the `client-id` of the
wire, and one that begins with ``SANDBOX_`` is a test client. *Client key*: a public key of a client,
numbered from 1; several may live at once, so that keys are changed without a pause. *API key*: a secret
that stands for a client which signs nothing; only its hash is kept, and a restricted one is for some
operations. *Platform key*: a key pair of ours; the active one signs every answer and notification. Its
private half is sealed. *PIN*: six digits with which somebody who works here approves what another one does.
*Record*: who did what, of a merchant, an office, the operator or a traveller; it is only added to.

Invariants: a role that works for a merchant has a merchant, an officer has an office, nobody else has
either; a client belongs to one merchant for ever; a key version is never used twice; one platform key
is active; a private key never leaves this context unsealed except to the signer.

Called by the gateway (which client, which keys), the notifier (the platform key), the command line
and the web (people, clients).
"""
