"""Every answer is one that the official SDK reads: each member that we may send, as it would be sent."""

from __future__ import annotations

import json
from functools import partial
from typing import Any, cast, get_type_hints

import pytest
from msgspec import inspect

from comptoir.gateway.openapi import path_of
from comptoir.gateway.operations import Services, operations
from tests.official_sdk import misread, response_classes

OPERATIONS = {name: cast("partial[Any]", one).func for name, one in operations(cast(Services, None)).items()}

#: Members that have the words of an enum, of which ours are some: one that we send.
WORDS = {
    "codeValueType": "BARCODE",
    "displayType": "TEXT",
    "disputeEvidenceFormat": "PDF",
    "paymentMethodCategory": "WALLET",
    "paymentStatus": "SUCCESS",
    "refundStatus": "SUCCESS",
    "status": "ACTIVE",
    "transactionStatus": "SUCCESS",
    "transactionType": "REFUND",
}


def filled(kind: inspect.Type, name: str = "") -> Any:
    """A value of the type with every member there is."""
    match kind:
        case inspect.UnionType():
            return filled(next(one for one in kind.types if not isinstance(one, inspect.NoneType)), name)
        case inspect.StructType():
            return {one.encode_name: filled(one.type, one.encode_name) for one in kind.fields}
        case inspect.ListType():
            return [filled(kind.item_type, name)]
        case inspect.EnumType():
            return next(iter(kind.cls)).value
        case inspect.StrType() | inspect.CustomType():
            return WORDS.get(name, "1")
        case inspect.IntType():
            return 1
        case inspect.BoolType():
            return True
        case inspect.DecimalType():
            return 1.5
        case inspect.AnyType() | inspect.DictType():
            return {}
    raise NotImplementedError(kind)


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_the_sdk_reads_every_member_of_an_answer(name: str) -> None:
    answer = inspect.type_info(get_type_hints(OPERATIONS[name])["return"])
    assert misread(path_of(name), json.dumps(filled(answer))) == []


def test_the_sdk_has_a_class_for_all_but_the_acquirers_operations() -> None:
    read = response_classes()
    assert {name for name in OPERATIONS if path_of(name) not in read} == {
        name for name in OPERATIONS if name.startswith("aps/")
    }
