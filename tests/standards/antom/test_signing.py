"""Signatures: the captured request of the official SDK, and everything that must not verify."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest
from com.alipay.ams.api.tools import signature_tool
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from comptoir.standards.antom import signing
from comptoir.standards.antom.errors import ParamIllegal

VECTORS = Path(__file__).parents[2] / "data" / "antom"
BODY = (VECTORS / "pay_request.body").read_bytes()
HEAD = dict(
    line.split(": ", 1) for line in (VECTORS / "pay_request.head").read_text().splitlines()[1:] if line
)
PATH = "/ams/api/v1/payments/pay"


@pytest.fixture(scope="module")
def merchant_key() -> rsa.RSAPublicKey:
    return signing.load_public_key((VECTORS / "merchant.pub.b64").read_text())


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return signing.generate_key()


def captured_content(body: bytes = BODY, path: str = PATH) -> bytes:
    return signing.content_to_sign(path, HEAD["client-id"], HEAD["Request-Time"], body)


def test_the_content_to_sign_is_the_captured_one() -> None:
    assert captured_content() == (VECTORS / "pay_request.tosign").read_bytes()
    digest = hashlib.sha256(captured_content()).hexdigest()
    assert digest == "819e42168bed662d5db96a5eac4520807970999184c07b17b6db1276aff14262"


def test_the_captured_request_verifies_and_no_altered_one_does(merchant_key: rsa.RSAPublicKey) -> None:
    header = signing.parse_header(HEAD["Signature"])
    signature = header.signature()
    assert header.key_version == 1
    assert signature is not None
    assert signing.verify(merchant_key, captured_content(), signature)
    assert not signing.verify(merchant_key, captured_content(BODY.replace(b"100", b"101")), signature)
    assert not signing.verify(
        merchant_key, captured_content(path="/ams/sandbox/api/v1/payments/pay"), signature
    )
    assert not signing.verify(merchant_key, captured_content(), signature[:-1])
    assert not signing.verify(merchant_key, captured_content(), b"")


def test_what_we_sign_the_official_sdk_verifies(key: rsa.RSAPrivateKey) -> None:
    encoded = signing.sign(
        key, signing.content_to_sign(PATH, "C1", "2026-11-23T09:20:36+00:00", "é€".encode())
    )
    public = signing.export_public_key(key.public_key())
    assert signature_tool.verify("POST", PATH, "C1", "2026-11-23T09:20:36+00:00", "é€", encoded, public)


def test_what_the_official_sdk_signs_we_verify(key: rsa.RSAPrivateKey) -> None:
    encoded = signature_tool.sign("POST", PATH, "C1", "t", "{}", signing.export_private_key(key))
    signature = signing.decode_signature(encoded)
    assert signature is not None
    assert signing.verify(key.public_key(), signing.content_to_sign(PATH, "C1", "t", b"{}"), signature)
    assert signing.sign(key, signing.content_to_sign(PATH, "C1", "t", b"{}")) == encoded


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("algorithm=RSA256,keyVersion=2,signature=abc", 2),
        ("algorithm=RSA256, keyVersion=2, signature=abc", 2),
        ("signature=abc , keyVersion = 2,algorithm=rsa256", 2),
        ("algorithm=RSA256,signature=abc", None),
        ("keyVersion=,signature=abc", None),
        ("signature=abc", None),
        ("signature=abc,keyVersion=2,extra=1", 2),
    ],
)
def test_headers_that_are_understood(text: str, version: int | None) -> None:
    assert signing.parse_header(text) == signing.SignatureHeader(version, "abc")


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "Signature"),
        ("abc", "Signature"),
        ("algorithm=RSA256,keyVersion=1", "Signature.signature"),
        ("algorithm=RSA256,keyVersion=1,signature=", "Signature.signature"),
        ("algorithm=HMAC,keyVersion=1,signature=abc", "Signature.algorithm"),
        ("algorithm=none,signature=abc", "Signature.algorithm"),
        ("keyVersion=-1,signature=abc", "Signature.keyVersion"),
        ("keyVersion=1.0,signature=abc", "Signature.keyVersion"),
        ("keyVersion=٣,signature=abc", "Signature.keyVersion"),
        ("keyVersion=1111111111111,signature=abc", "Signature.keyVersion"),
        ("signature=abc,signature=def", "Signature"),
        ("signature=abc,", "Signature"),
    ],
)
def test_headers_that_are_refused_name_the_part(text: str, field: str) -> None:
    with pytest.raises(ParamIllegal) as refusal:
        signing.parse_header(text)
    assert refusal.value.field == field


@pytest.mark.parametrize("encoded", ["abcd+/==", "YQ==", "a%2", "%FF%FE", "Y Q", "ÿ", "%3D", "YQ%3D%3D%3D"])
def test_a_signature_that_is_not_url_encoded_base64_is_none(encoded: str) -> None:
    assert signing.decode_signature(encoded) is None


def test_header_round_trip(key: rsa.RSAPrivateKey) -> None:
    encoded = signing.sign(key, b"x")
    assert signing.parse_header(signing.format_header(7, encoded)) == signing.SignatureHeader(7, encoded)


def test_keys_with_and_without_armor(key: rsa.RSAPrivateKey) -> None:
    public = signing.export_public_key(key.public_key())
    private = signing.export_private_key(key)
    assert public.startswith("MIIBIjANBg")
    pem = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for form in (public, pem.decode(), pem.decode().replace("\n", "\r\n"), f"\n {public} \n"):
        assert signing.export_public_key(signing.load_public_key(form)) == public
    pkcs1 = base64.b64encode(
        key.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    ).decode()
    for form in (private, pkcs1, f"-----BEGIN PRIVATE KEY-----\n{private}\n"):
        assert signing.export_private_key(signing.load_private_key(form)) == private


def test_keys_that_are_refused(key: rsa.RSAPrivateKey) -> None:
    curve = ec.generate_private_key(ec.SECP256R1()).public_key()
    curve_text = base64.b64encode(
        curve.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    ).decode()
    weak = rsa.generate_private_key(65537, 1024)  # noqa: S505 - it must be refused
    weak_text = base64.b64encode(signing.public_der(weak.public_key())).decode()
    for text in ("", "!", "abcd", curve_text, weak_text, signing.export_private_key(key)):
        with pytest.raises(signing.BadKey):
            signing.load_public_key(text)
    with pytest.raises(signing.BadKey):
        signing.load_private_key(signing.export_public_key(key.public_key()))
