"""The API keeps what its OpenAPI document says, whatever requests are made from that document."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from requests.auth import AuthBase
from schemathesis import Case, checks

from comptoir.gateway.openapi import document
from tests.api.support import House, Shop
from tests.api.till import Till, checked

pytestmark = pytest.mark.slow

schema = schemathesis.openapi.from_dict(document("test"))
# The requests are signed: an invented API key beside it would keep them all outside the door.
schema.config.generation.with_security_parameters = False

CHECKS = [
    checks.not_a_server_error,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.status_code_conformance,
]


class Signed(AuthBase):
    """Signs a request as it is about to travel, so that it reaches the operation behind the door.

    The path is put back as the document has it: on the way a double slash has become one.
    """

    def __init__(self, till: Till, path: str) -> None:
        self._till = till
        self._path = path

    def __call__(self, request: Any) -> Any:
        request.url = urljoin(request.url, "/")[:-1] + self._path
        body = request.body or b""
        content = body.encode() if isinstance(body, str) else body
        request.headers.update(self._till.headers(request.path_url, content))
        return request


@pytest.fixture(scope="module")
def shop(house: House) -> Shop:
    """One shop for all requests."""
    return house.shop()


@schema.parametrize()
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_as_documented(case: Case, house: House, shop: Shop) -> None:
    """Right and wrong bodies alike: HTTP 200, signed, the documented shape; and a fault of ours is none."""
    with requests.Session() as session:
        session.trust_env = False
        response = case.call(
            base_url=f"http://127.0.0.1:{house.ports[0]}",
            session=session,
            auth=Signed(shop.till, case.path),
            timeout=20,
        )
    headers = [(name.encode(), value.encode()) for name, [value] in response.headers.items()]
    answer = checked(response.status_code, headers, response.content, case.path, house.platform_key)
    assert answer.code != "UNKNOWN_EXCEPTION"
    case.validate_response(response, checks=CHECKS)


def test_nothing_of_it_moved_money(house: House, shop: Shop) -> None:
    """No invented code is anybody's."""
    assert (shop.owed, shop.held) == (0, 0)
    house.assert_holds()
