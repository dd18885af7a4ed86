"""Each mistake that integrators make, made on purpose: the diagnosis names it and nothing else."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comptoir.standards.antom import diagnosis
from comptoir.standards.antom.diagnosis import Code, Finding
from comptoir.standards.antom.signing import content_to_sign, format_header, generate_key, sign

NOW = datetime(2026, 11, 23, 9, 20, tzinfo=UTC)
TIME = "2026-11-23T09:20:00+00:00"
CLIENT = "5Y0000000000001"
PATH = "/ams/api/v1/payments/inquiryPayment"
BODY = '{"paymentRequestId":"R-1"}'
OLD, NEW, FOREIGN = generate_key(), generate_key(), generate_key()
KEYS = {2: NEW.public_key(), 1: OLD.public_key()}


def written(
    *,
    key: Any = NEW,
    version: int = 2,
    path: str = PATH,
    body: str = BODY,
    client: str = CLIENT,
    signed: dict[str, str] | None = None,
    **headers: str | None,
) -> list[Finding]:
    """The diagnosis of a request; `signed` is what was signed instead."""
    over = {"path": path, "client": client, "body": body} | (signed or {})
    signature = sign(key, content_to_sign(over["path"], over["client"], TIME, over["body"].encode()))
    head = {
        "Client-Id": client,
        "Request-Time": TIME,
        "Signature": format_header(version, signature),
        "Content-Type": "application/json",
    } | {name.replace("_", "-").title(): value for name, value in headers.items()}
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items() if value)]
    request = diagnosis.parse("\r\n".join(lines), body)
    assert request is not None
    return diagnosis.diagnose(request, CLIENT, KEYS, NOW)


def wrong(found: list[Finding]) -> list[Code]:
    return [one.code for one in found if one.code not in diagnosis.GOOD]


def test_a_good_request_has_nothing_wrong() -> None:
    assert written() == [Finding(Code.VERIFIES, "2"), Finding(Code.BODY_GOOD)]
    assert written(key=OLD, version=1) == [Finding(Code.VERIFIES, "1"), Finding(Code.BODY_GOOD)]


def test_without_a_version_the_newest_key_is_meant() -> None:
    signature = sign(NEW, content_to_sign(PATH, CLIENT, TIME, BODY.encode()))
    assert wrong(written(signature=f"algorithm=RSA256,signature={signature}")) == []
    signature = sign(OLD, content_to_sign(PATH, CLIENT, TIME, BODY.encode()))
    found = written(signature=f"algorithm=RSA256,signature={signature}")
    assert Finding(Code.SIGNED_OTHER_KEY, "1", "2") in found


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"key": FOREIGN}, [Code.SIGNATURE_WRONG]),
        ({"key": OLD}, [Code.SIGNED_OTHER_KEY]),
        ({"version": 7}, [Code.KEY_UNKNOWN, Code.SIGNED_OTHER_KEY]),
        ({"signed": {"path": "/ams/sandbox/api/v1/payments/inquiryPayment"}}, [Code.SIGNED_OTHER_PATH]),
        ({"signed": {"path": "/v1/payments/inquiryPayment"}}, [Code.SIGNED_OTHER_PATH]),
        ({"client": "5Y0000000000002"}, [Code.CLIENT_OTHER]),
        (
            {"client": "5Y0000000000002", "signed": {"client": CLIENT}},
            [Code.CLIENT_OTHER, Code.SIGNED_OTHER_CLIENT],
        ),
        ({"signed": {"body": '{"paymentRequestId": "R-1"}'}}, [Code.SIGNED_OTHER_BODY]),
        ({"signed": {"body": ""}}, [Code.SIGNED_OTHER_BODY]),
        ({"body": "{}"}, [Code.BODY_MEMBER]),
        ({"body": "{"}, [Code.BODY_MEMBER]),
        ({"path": "/ams/api/v1/payments/inquirePayment"}, [Code.PATH_UNKNOWN]),
        ({"request_time": "yesterday"}, [Code.TIME_BAD, Code.SIGNATURE_WRONG]),
        ({"request_time": None}, [Code.HEADER_MISSING, Code.SIGNATURE_WRONG]),
        ({"signature": None}, [Code.HEADER_MISSING]),
        ({"signature": "abc"}, [Code.SIGNATURE_HEADER]),
        ({"signature": "algorithm=RSA256,keyVersion=2,signature=@"}, [Code.SIGNATURE_ENCODING]),
    ],
)  # fmt: skip
def test_each_mistake_is_named(changes: dict[str, Any], expected: list[Code]) -> None:
    assert wrong(written(**changes)) == expected


def test_a_signature_that_was_not_encoded_for_the_header_is_told_from_a_wrong_one() -> None:
    raw = NEW.sign(content_to_sign(PATH, CLIENT, TIME, BODY.encode()), *_pkcs())
    found = written(signature=f"algorithm=RSA256,keyVersion=2,signature={base64.b64encode(raw).decode()}")
    assert [one.code for one in found] == [Code.SIGNATURE_ENCODING, Code.VERIFIES, Code.BODY_GOOD]


def test_what_a_browser_does_to_a_pasted_body_does_not_matter() -> None:
    signed = '{\n "paymentRequestId": "R-1"\n}'
    pasted = signed.replace("\n", "\r\n")
    assert wrong(written(body=pasted, signed={"body": signed})) == []
    found = written(body=pasted + "\r\n", signed={"body": signed})
    assert Finding(Code.NOTE_BODY_SPACE, "body") in found
    assert wrong(found) == []
    windows = written(body=pasted, signed={"body": pasted})
    assert wrong(windows) == []


def test_an_old_request_is_no_mistake_but_said() -> None:
    request = diagnosis.parse(f"POST {PATH}\nclient-id: {CLIENT}\nrequest-time: {TIME}", BODY)
    assert request is not None
    found = diagnosis.diagnose(request, CLIENT, KEYS, NOW + timedelta(hours=1))
    assert Finding(Code.NOTE_OLD, "request-time", TIME) in found


def test_the_member_is_named_as_it_is_spelled() -> None:
    path = "/ams/api/v1/payments/refund"
    body = json.dumps({"refundRequestId": "F", "paymentId": "P", "refundAmount": {"currency": "EUR"}})
    (named,) = [one for one in written(path=path, body=body) if one.code is Code.BODY_MEMBER]
    assert named == Finding(Code.BODY_MEMBER, "refundAmount.value", "refundAmount.value is missing")


@pytest.mark.parametrize("head", ["", "client-id: X", "hello"])
def test_what_is_no_request_is_not_read(head: str) -> None:
    assert diagnosis.parse(head, "{}") is None


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200), st.text(max_size=100))
def test_whatever_is_pasted_is_answered(head: str, body: str) -> None:
    body = body.encode(errors="replace").decode()
    request = diagnosis.parse(f"POST {PATH}\nsignature: {head}\n{head}", body)
    if request is not None:
        assert diagnosis.diagnose(request, CLIENT, KEYS, NOW)


def test_a_challenge_names_the_key_that_signed_it() -> None:
    text = "comptoir:5Y0000000000001:8f3a"
    for content in (text, text + "\n"):
        raw = base64.b64encode(OLD.sign(content.encode(), *_pkcs())).decode()
        wrapped = "\n".join(raw[at : at + 64] for at in range(0, len(raw), 64))
        assert diagnosis.signer_of(text, wrapped, KEYS) == 1
    assert diagnosis.signer_of(text, sign(NEW, text.encode()), KEYS) == 2
    assert diagnosis.signer_of(text, sign(FOREIGN, text.encode()), KEYS) is None
    assert diagnosis.signer_of(text, sign(NEW, b"another text"), KEYS) is None
    assert diagnosis.signer_of(text, "not base64!", KEYS) is None


def _pkcs() -> tuple[Any, Any]:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    return padding.PKCS1v15(), hashes.SHA256()
