"""Signatures of the Antom API: RSA, PKCS #1 v1.5, SHA-256, over the bytes as they travel.

What is signed, in both directions (docs.antom.com, "Sign a request"; checked against the SDKs)::

    POST <path>LF<client-id>.<time>.<raw body>

The path has no scheme, host or query, and a response is signed over the path of its request. The
signature travels as ``algorithm=RSA256,keyVersion=1,signature=<base64, then form URL encoding>``.
Never verify over re-serialised JSON: every SDK prints it differently.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_plus

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from comptoir.kernel.errors import InvalidValue
from comptoir.standards.antom.errors import ParamIllegal

ALGORITHM: Final = "RSA256"

#: Smaller moduli are factored, larger ones cost the verifier milliseconds.
MIN_BITS: Final = 2048
MAX_BITS: Final = 4096

_PADDING: Final = padding.PKCS1v15()
_HASH: Final = hashes.SHA256()
_MAX_KEY_VERSION_DIGITS: Final = 9


class BadKey(InvalidValue):
    """Not an RSA key in a form we take."""

    code = "antom.bad_key"


def content_to_sign(path: str, client_id: str, time: str, body: bytes, method: bytes = b"POST") -> bytes:
    """The bytes under a signature. `time` is Request-Time or response-time exactly as it travels."""
    return b"%b %b\n%b.%b.%b" % (method, path.encode(), client_id.encode(), time.encode(), body)


def sign(key: rsa.RSAPrivateKey, content: bytes) -> str:
    """The signature of `content`, as it stands in the header (URL-encoded base64)."""
    encoded = base64.b64encode(key.sign(content, _PADDING, _HASH)).decode()
    # The three characters of base64 that form URL encoding changes; `quote_plus` takes ten times as long.
    return encoded.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")


def verify(key: rsa.RSAPublicKey, content: bytes, signature: bytes) -> bool:
    """Whether `signature` (raw bytes) is `key`'s signature of `content`."""
    try:
        key.verify(signature, content, _PADDING, _HASH)
    except InvalidSignature:
        return False
    return True


@dataclass(frozen=True, slots=True)
class SignatureHeader:
    """A parsed Signature header. `key_version` None: not said, the newest key is meant."""

    key_version: int | None
    encoded: str

    def signature(self) -> bytes | None:
        """The raw signature, or None when it is not URL-encoded base64."""
        return decode_signature(self.encoded)


def parse_header(text: str) -> SignatureHeader:
    """Read ``algorithm=RSA256,keyVersion=1,signature=…``; blanks around the parts are allowed.

    `algorithm` and `keyVersion` may be left out, `signature` not; unknown parts are ignored.
    Raises ParamIllegal naming the part.
    """
    parts: dict[str, str] = {}
    for piece in text.split(","):
        name, mark, value = piece.partition("=")
        name = name.strip()
        if not mark:
            raise ParamIllegal("Signature is not algorithm=…,keyVersion=…,signature=…", field="Signature")
        if name in parts:
            raise ParamIllegal(f"Signature says {name[:20]} twice", field="Signature")
        parts[name] = value.strip()
    if not parts.get("signature"):
        raise ParamIllegal("Signature has no signature= part", field="Signature.signature")
    if parts.get("algorithm", ALGORITHM).upper() != ALGORITHM:
        raise ParamIllegal("Signature: only algorithm=RSA256 is known", field="Signature.algorithm")
    return SignatureHeader(_key_version(parts.get("keyVersion")), parts["signature"])


def format_header(key_version: int, encoded: str) -> str:
    """The header value for a signature made by `sign`."""
    return f"algorithm={ALGORITHM},keyVersion={key_version},signature={encoded}"


def decode_signature(encoded: str) -> bytes | None:
    """Undo URL encoding and base64; None when either is missing or broken.

    Base64 that was not URL-encoded is refused, as Antom does: a till that passes here passes there.
    """
    if "+" in encoded or "/" in encoded or "=" in encoded:
        return None
    plain = encoded.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=")
    try:
        return base64.b64decode(unquote_plus(encoded) if "%" in plain else plain, validate=True)
    except (binascii.Error, ValueError):
        return None


def _key_version(text: str | None) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_KEY_VERSION_DIGITS):
        raise ParamIllegal("Signature: keyVersion is a whole number", field="Signature.keyVersion")
    return int(text)


def load_public_key(text: str) -> rsa.RSAPublicKey:
    """A public key out of base64 SubjectPublicKeyInfo, with or without PEM armor and line breaks.

    Raises BadKey: not such a key, not RSA, or not 2048 to 4096 bits.
    """
    return public_key_from_der(_der(text))


def public_key_from_der(der: bytes) -> rsa.RSAPublicKey:
    """The same out of DER, the form we store."""
    try:
        key = serialization.load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        raise BadKey("not a public key: base64 of an X.509 SubjectPublicKeyInfo is wanted") from None
    if not isinstance(key, rsa.RSAPublicKey) or not MIN_BITS <= key.key_size <= MAX_BITS:
        raise BadKey("an RSA key of 2048 to 4096 bits is wanted")
    return key


def load_private_key(text: str) -> rsa.RSAPrivateKey:
    """A private key out of base64 PKCS #8 (or PKCS #1), with or without PEM armor. Raises BadKey."""
    return private_key_from_der(_der(text))


def private_key_from_der(der: bytes) -> rsa.RSAPrivateKey:
    """The same out of DER."""
    try:
        key = serialization.load_der_private_key(der, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise BadKey("not a private key: base64 of unencrypted PKCS #8 is wanted") from None
    if not isinstance(key, rsa.RSAPrivateKey) or not MIN_BITS <= key.key_size <= MAX_BITS:
        raise BadKey("an RSA key of 2048 to 4096 bits is wanted")
    return key


def is_private_key(text: str) -> bool:
    """Whether a text that should be a public key is a private one: it should not have been shown."""
    try:
        load_private_key(text)
    except BadKey:
        return "PRIVATE KEY" in text
    return True


def fingerprint(der: bytes) -> str:
    """The SHA-256 of a public key in DER, as 64 hex digits; `openssl` computes the same."""
    return hashlib.sha256(der).hexdigest()


def generate_key() -> rsa.RSAPrivateKey:
    """A fresh RSA-2048 key, what every SDK expects."""
    return rsa.generate_private_key(public_exponent=65537, key_size=MIN_BITS)


def public_der(key: rsa.RSAPublicKey) -> bytes:
    """SubjectPublicKeyInfo DER."""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def private_der(key: rsa.RSAPrivateKey) -> bytes:
    """PKCS #8 DER, unencrypted: seal it before it is stored."""
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def export_public_key(key: rsa.RSAPublicKey) -> str:
    """One line of base64 without armor, as the SDKs want it (``MIIBIjANBg…``)."""
    return base64.b64encode(public_der(key)).decode()


def export_private_key(key: rsa.RSAPrivateKey) -> str:
    """One line of base64 of PKCS #8 without armor, as the SDKs of all languages want it. A secret."""
    return base64.b64encode(private_der(key)).decode()


def _der(text: str) -> bytes:
    """The bytes under armor and line breaks."""
    lines = (line.strip() for line in text.strip().splitlines())
    body = "".join(line for line in lines if not line.startswith("-----"))
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise BadKey("the key is not base64") from None
