"""The reference is what the code would write today."""

from __future__ import annotations

from pathlib import Path

import pytest

from comptoir.gateway.openapi import NOTIFICATIONS, document
from comptoir.gateway.operations import operations
from comptoir.standards.antom import messages
from tools.reference import pages


@pytest.mark.parametrize(("path", "text"), pages().items(), ids=lambda one: getattr(one, "name", ""))
def test_the_reference_is_in_step(path: Path, text: str) -> None:
    assert path.read_text("utf-8") == text, "run `make reference`"


def test_every_open_operation_is_described() -> None:
    described = {item["post"]["operationId"] for item in document("test")["paths"].values()}
    assert described == {name.replace("/", "_") for name in operations(None)}  # type: ignore[arg-type]


def test_what_a_subscription_is_charged_with_has_a_notification_of_its_own() -> None:
    made = document("test")
    sent = made["webhooks"]["notifySubscriptionPayment"]["post"]["requestBody"]["content"]
    name = sent["application/json"]["schema"]["$ref"].rpartition("/")[2]
    assert {"paymentId", "subscriptionId", "phaseNo"} <= set(made["components"]["schemas"][name]["required"])


def test_both_ways_to_say_who_asks_are_described() -> None:
    made = document("test")
    assert made["components"]["securitySchemes"].keys() == {"signature", "apiKey"}
    assert made["security"] == [{"signature": []}, {"apiKey": []}]
    required = {
        one["name"]
        for item in made["paths"].values()
        for one in item["post"]["parameters"]
        if one["required"]
    }
    assert not required, "an API key stands for all three headers"


def test_every_notification_is_described() -> None:
    sent = {name for name in messages.__all__ if name.endswith("Notification")}
    assert sent == {kind.__name__ for kind in NOTIFICATIONS.values()}
