"""Whatever is done to a signed request, the answer is HTTP 200 and verifies."""

from __future__ import annotations

import asyncio

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comptoir.standards.antom import signing
from comptoir.standards.antom.paths import path_of_target, signed_paths

from .conftest import BODY, CLIENT, PAY, House, Reply

QUIET = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

header_text = st.binary(max_size=40).map(lambda raw: raw.replace(b"\r", b"").replace(b"\n", b""))


def verifies(house: House, reply: Reply, paths: tuple[str, ...]) -> bool:
    """Whether the answer verifies over one of the paths the caller may have signed."""
    assert reply.status == 200
    header = signing.parse_header(reply.header("signature"))
    signature = header.signature()
    assert signature is not None
    key = signing.load_public_key(house.till.platform_public_key)
    client_id, time = reply.header("client-id"), reply.header("response-time")
    assert reply.result["resultStatus"] in "SFU"
    return any(
        signing.verify(key, signing.content_to_sign(path, client_id, time, reply.body), signature)
        for path in paths
    )


@QUIET
@given(st.data())
def test_a_mutated_request_is_answered_and_signed(house: House, data: st.DataObject) -> None:
    house.fake.calls.clear()  # hypothesis hands the same house to every example
    body = bytearray(BODY)
    headers = dict(house.till.headers(BODY))
    target = PAY
    for _ in range(data.draw(st.integers(1, 4))):
        match data.draw(st.sampled_from(["body", "cut", "header", "drop", "double", "target"])):
            case "body":
                body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
            case "cut":
                body = body[: data.draw(st.integers(1, len(body)))]
            case "header":
                headers[data.draw(st.sampled_from(sorted(headers) or [b"x"]))] = data.draw(header_text)
            case "drop":
                headers.pop(data.draw(st.sampled_from([b"client-id", b"signature", b"request-time"])), None)
            case "double":
                headers[b"x-extra"] = data.draw(header_text)
            case "target":
                target = data.draw(st.text(st.characters(max_codepoint=255), min_size=1, max_size=60))
    reply = asyncio.run(house.post(bytes(body), list(headers.items()), target))
    assert verifies(house, reply, signed_paths(path_of_target(target)))
    assert bytes(body) == BODY or not house.fake.calls


@QUIET
@given(body=st.binary(max_size=2000))
def test_any_signed_body_is_answered_and_signed(house: House, body: bytes) -> None:
    reply = asyncio.run(house.post(body))
    assert house.till.check(reply, PAY, CLIENT)["resultCode"] == "PARAM_ILLEGAL"
