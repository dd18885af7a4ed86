"""Our signature under every answer.

It is made on the event loop. Measured on two cores with the engine and its database at work: handing it
to one or two threads, to a process beside one server, or yielding before each won no payment per second
(docs/operating/performance.md). More server processes are what scales it.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import rsa

from comptoir.identity.api import PlatformKeyView
from comptoir.standards.antom import signing


class Signer:
    """The platform key, ready to sign. An RSA-2048 signature costs 0.3 to 1 ms of a core."""

    def __init__(self, key: rsa.RSAPrivateKey, version: int) -> None:
        self._key = key
        self.version = version

    @classmethod
    def of(cls, view: PlatformKeyView) -> Signer:
        """The signer of a platform key."""
        return cls(signing.private_key_from_der(view.private_key), view.version)

    def header(self, path: str, client_id: str, time: str, body: bytes) -> str:
        """The value of the `signature` header of an answer."""
        content = signing.content_to_sign(path, client_id, time, body)
        return signing.format_header(self.version, signing.sign(self._key, content))
