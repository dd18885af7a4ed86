"""Schemes' templates: configuration in, an account object out, and every mistake named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from comptoir.standards.emv_qr import (
    DataObject,
    EmvQrMalformed,
    TemplatesInvalid,
    parse_templates,
    template,
    template_of,
)
from tests.standards.emv_qr.vectors import VECTORS

CONFIGURATION = {
    "promptpay": {
        "id": "29",
        "guid": "A000000677010111",
        "members": {"01": {"name": "mobile number", "form": "0066[0-9]{9}"}},
    },
    "pix": {
        "id": "26",
        "guid": "br.gov.bcb.pix",
        "members": {
            "01": {"name": "key", "form": ".{1,77}"},
            "02": {"name": "note", "form": ".{1,40}", "optional": True},
        },
    },
}
PROMPTPAY, PIX = TEMPLATES = parse_templates(json.dumps(CONFIGURATION))


@pytest.mark.parametrize(
    ("vector", "scheme", "values"),
    [
        (VECTORS[2], PROMPTPAY, {"01": "0066801234567"}),
        (VECTORS[5], PIX, {"01": "123e4567-e12b-12d1-a456-426655440000"}),
    ],
)
def test_a_scheme_writes_the_account_of_its_published_code(vector: Any, scheme: Any, values: Any) -> None:
    account = scheme.account(values)
    assert account in vector.code.accounts
    assert template_of(account, TEMPLATES) == scheme


def test_a_scheme_is_known_by_its_guid_not_by_its_id() -> None:
    moved = template("45", [DataObject("00", "BR.GOV.BCB.PIX"), DataObject("01", "key")])
    assert template_of(moved, TEMPLATES) == PIX
    PIX.check(moved)
    assert template_of(template("26", [DataObject("00", "SG.PAYNOW")]), TEMPLATES) is None


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("26.01", {}),
        ("26.01", {"01": "x" * 78}),
        ("26.02", {"01": "key", "02": "x" * 41}),
        ("26.03", {"01": "key", "03": "x"}),
        ("26.00", {"00": "SG.PAYNOW", "01": "key"}),
        ("26.01", {"01": ""}),
    ],
)
def test_the_wrong_member_is_named(path: str, values: dict[str, str]) -> None:
    with pytest.raises(EmvQrMalformed) as refused:
        PIX.account(values)
    assert refused.value.field == path


def test_an_account_of_another_scheme_is_refused() -> None:
    with pytest.raises(EmvQrMalformed) as refused:
        PIX.check(PROMPTPAY.account({"01": "0066801234567"}))
    assert refused.value.field == "29.00"


@pytest.mark.parametrize(
    ("field", "text"),
    [
        (None, "{"),
        (None, "[]"),
        ("x", {"id": "26"}),
        ("x", {"id": "26", "guid": "a.b", "members": {}, "more": 1}),
        ("x.id", {"id": "25", "guid": "a.b", "members": {}}),
        ("x.id", {"id": 26, "guid": "a.b", "members": {}}),
        ("x.guid", {"id": "26", "guid": "", "members": {}}),
        ("x.guid", {"id": "26", "guid": "a" * 33, "members": {}}),
        ("x.members", {"id": "26", "guid": "a.b", "members": []}),
        ("x.members.00", {"id": "26", "guid": "a.b", "members": {"00": {"name": "n", "form": "."}}}),
        ("x.members.1", {"id": "26", "guid": "a.b", "members": {"1": {"name": "n", "form": "."}}}),
        ("x.members.01", {"id": "26", "guid": "a.b", "members": {"01": {"name": "n"}}}),
        ("x.members.01", {"id": "26", "guid": "a.b", "members": {"01": {"name": "n", "form": 1}}}),
        ("x.members.01.form", {"id": "26", "guid": "a.b", "members": {"01": {"name": "n", "form": "("}}}),
    ],
)
def test_a_configuration_that_cannot_be_used_says_where(field: str | None, text: Any) -> None:
    given = text if isinstance(text, str) else json.dumps({"x": text})
    with pytest.raises(TemplatesInvalid) as refused:
        parse_templates(given)
    assert refused.value.field == field
