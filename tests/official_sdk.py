"""The official Python SDK, class by class: what it asks with, and what it reads our answers with."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import Any, Final

import com.alipay.ams.api.request as requests
import com.alipay.ams.api.response as responses

#: What we say beyond what these classes read; whoever wants it has the body.
OURS: Final = {
    # Of its two classes the older one, AmsApiV1PaymentsInquiryRefundPost200Response, drops these.
    "payments/inquiryRefund": {"actualRefundAmount", "metadata", "customizedInfo"},
    "subscriptions/inquiry": {"subscriptionId"},
    "subscriptions/inquireSubscription": {"subscription.subscriptionRequestId"},
    "subscriptions/inquireSubscriptionList": {"subscriptions.subscriptionRequestId"},
}


@cache
def request_classes() -> dict[str, type]:
    """Every class of the SDK that can be made without arguments and sent to a path."""
    found = {}
    for name, kind in _classes(requests):
        try:
            request = kind()
            body = request.to_ams_json()
        except (TypeError, IndexError, AttributeError):
            continue
        if str(getattr(request, "path", "")).startswith("/") and isinstance(body, str):
            found[name] = kind
    return found


@cache
def response_classes() -> dict[str, list[type]]:
    """By path: the classes that read its answer. The request's name leads to them."""
    known = dict(_classes(responses))
    found: dict[str, list[type]] = defaultdict(list)
    for name, kind in request_classes().items():
        stem = name.removesuffix("Request")
        for answer in (f"{stem}Response", f"{stem}200Response"):
            if answer in known:
                found[kind().path].append(known[answer])
    return dict(found)


def misread(path: str, body: str) -> list[str]:
    """What the SDK does not read as it was sent: members it drops, words it does not know.

    Raises what the SDK raises. A class that cannot write itself again only has to read.
    """
    operation = "/".join(path.split("/")[-2:])
    found = []
    for kind in response_classes().get(path, []):
        answer = kind(body)
        if hasattr(answer, "to_ams_dict"):
            again = json.loads(json.dumps(answer.to_ams_dict(), default=lambda one: one.to_ams_dict()))
            lost = set(_lost(json.loads(body), again)) - OURS.get(operation, set())
            found += [f"{kind.__name__}: {member}" for member in sorted(lost)]
    return found


def _lost(sent: Any, kept: Any, member: str = "") -> Iterator[str]:
    if isinstance(sent, dict) and isinstance(kept, dict):
        for name, value in sent.items():
            yield from _lost(value, kept.get(name), f"{member}.{name}".lstrip("."))
    elif isinstance(sent, list) and isinstance(kept, list) and len(sent) == len(kept):
        for one, other in zip(sent, kept, strict=True):
            yield from _lost(one, other, member)
    elif sent != kept:
        yield member


def _classes(package: ModuleType) -> Iterator[tuple[str, type]]:
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if "-" in module.name:
            continue  # one file of the SDK has a hyphen in its name and cannot be imported
        for name, kind in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if kind.__module__.startswith("com.alipay"):
                yield name, kind
