"""The API as an OpenAPI 3.1 document, made of the very message types that requests are read with.

Nothing is described twice: members, lengths and enums are those of `standards.antom.messages`, paths those
of the catalogue, sentences the docstrings of messages and operations.
"""

from __future__ import annotations

import inspect
import re
from functools import partial
from typing import Any, Final, cast, get_type_hints

import msgspec

from comptoir.gateway.operations import Services, operations
from comptoir.standards.antom import messages as wire
from comptoir.standards.antom.messages.requests import REQUESTS
from comptoir.standards.antom.messages.wire import Digits, NotOpen
from comptoir.standards.antom.paths import CATALOGUE, SANDBOX
from comptoir.standards.antom.results import ResultCode

#: What we send unasked, by the name the documentation gives it.
NOTIFICATIONS: Final[dict[str, type[msgspec.Struct]]] = {
    "notifyPayment": wire.PaymentNotification,
    "notifySubscriptionPayment": wire.SubscriptionPaymentNotification,
    "notifyRefund": wire.RefundNotification,
    "notifySubscription": wire.SubscriptionNotification,
    "notifyCapture": wire.CaptureNotification,
    "notifyAuthorization": wire.AuthorizationNotification,
    "notifyDispute": wire.DisputeNotification,
    "notifyPayment (acquirers)": wire.AcquirerPaymentNotification,
}

_SCHEMAS: Final = "#/components/schemas/"

_ABOUT: Final = (
    "Every request is a signed POST, every answer HTTP 200 and signed, an error too: its `result` says how it"
    " went. Unknown members are ignored; null counts as absent; booleans and numbers may be quoted. Each"
    f" path below `/ams/api` is served below `{SANDBOX}` as well. Who has an API key shows it instead of the"
    " three headers of a signature."
)

#: The two ways to say who asks: one of them, never both.
_SECURITY: Final = {
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "Signature",
        "description": "An RSA signature, together with `client-id` and `Request-Time`.",
    },
    "apiKey": {
        "type": "http",
        "scheme": "bearer",
        "description": "`isak_…` or `irak_…`, instead of the three headers of a signature; over TLS only.",
    },
}

_REQUEST_HEADERS: Final = {
    "client-id": (
        "Who asks. It and the next two are required, unless an API key is shown.",
        {"type": "string", "minLength": 1, "maxLength": 128},
    ),
    "Request-Time": (
        "ISO 8601 with an offset, or milliseconds since 1970; at most 15 minutes from our clock.",
        {"type": "string"},
    ),
    "Signature": (
        "`algorithm=RSA256,keyVersion=1,signature=<base64, then URL-encoded>`: RSA PKCS #1 v1.5 with SHA-256"
        " over `POST <path>`, a line feed, and `<client-id>.<Request-Time>.<body>`.",
        {"type": "string"},
    ),
}

_RESPONSE_HEADERS: Final = {
    "client-id": "The caller's, echoed.",
    "response-time": "ISO 8601 with an offset.",
    "signature": "As in the request, over the path of the request and this body, by the platform's key.",
}


def document(version: str) -> dict[str, Any]:
    """The document as plain JSON values. `version` is the product's."""
    served = operations(cast(Services, None))  # only looked at, never called
    functions = {name: cast("partial[Any]", one).func for name, one in served.items()}
    answers = {name: get_type_hints(function)["return"] for name, function in functions.items()}
    kinds = [*REQUESTS.values(), *answers.values(), *NOTIFICATIONS.values(), wire.Acknowledgement]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Comptoir payments",
            "version": version,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{name: []} for name in _SECURITY],
        "paths": {
            path_of(name): {"post": _operation(name, functions[name], REQUESTS[name], answers[name])}
            for name in served
        },
        "webhooks": {name: {"post": _webhook(name, kind)} for name, kind in NOTIFICATIONS.items()},
        "components": {"schemas": _schemas(kinds), "securitySchemes": _SECURITY},
    }


def path_of(name: str) -> str:
    """The production path of an operation, by its key."""
    return next(path for path, operation in CATALOGUE.items() if operation.key == name)


def _operation(
    name: str, function: Any, request: type[msgspec.Struct], answer: type[msgspec.Struct]
) -> dict[str, Any]:
    return {
        "operationId": name.replace("/", "_"),
        "summary": _summary(function),
        "tags": [name.rpartition("/")[0]],
        "parameters": [
            {"name": header, "in": "header", "required": False, "description": text, "schema": schema}
            for header, (text, schema) in _REQUEST_HEADERS.items()
        ],
        "requestBody": {"required": True, "content": _content(request)},
        "responses": {
            "200": {
                "description": "How it went: see `result`.",
                "headers": {
                    header: {"required": True, "description": text, "schema": {"type": "string"}}
                    for header, text in _RESPONSE_HEADERS.items()
                },
                "content": _content(answer),
            }
        },
    }


def _webhook(name: str, kind: type[msgspec.Struct]) -> dict[str, Any]:
    return {
        "operationId": name,
        "summary": "Sent to the notify address, and again until it is acknowledged.",
        "requestBody": {"required": True, "content": _content(kind)},
        "responses": {"200": {"description": "Heard.", "content": _content(wire.Acknowledgement)}},
    }


def _content(kind: type[msgspec.Struct]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _SCHEMAS + kind.__name__}}}


def _summary(function: Any) -> str:
    """The first sentence of a docstring, without what it says of Python."""
    text = " ".join((inspect.getdoc(function) or "").split())
    return _in_their_words(text.partition(" Raises ")[0])


def _schemas(kinds: list[type[msgspec.Struct]]) -> dict[str, Any]:
    """The schemas of messages and all their parts, by name."""
    unique = list(dict.fromkeys(kinds))
    _, found = msgspec.json.schema_components(unique, schema_hook=_own_type, ref_template=_SCHEMAS + "{name}")
    schemas = {name: _tidied(schema) for name, schema in sorted(found.items())}
    schemas["Amount"]["properties"]["currency"]["pattern"] = "^[A-Z]{3}$"
    schemas["Result"]["properties"]["resultCode"] = {"enum": [code.value for code in ResultCode]}
    return schemas


def _own_type(kind: type[Any]) -> dict[str, Any]:
    if kind is NotOpen:
        return {"type": "null", "description": "Not open here: a request that asks for it is refused."}
    if kind is not Digits:
        raise NotImplementedError(kind)
    return {"type": "string", "pattern": "^[0-9]{1,16}$"}


def _tidied(schema: Any) -> Any:
    """A schema as people expect it: optional members without null, prices as numbers, wire spelling."""
    if isinstance(schema, list):
        return [_tidied(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("default", ...) is None and "anyOf" in schema:
        real = [one for one in schema["anyOf"] if one != {"type": "null"}]
        return _tidied(real[0] if len(real) == 1 else {"anyOf": real})
    if schema.get("format") == "decimal":
        return {"type": "number"}
    tidied = {
        name: _tidied(value) for name, value in schema.items() if name != "title" or isinstance(value, dict)
    }
    if isinstance(schema.get("description"), str):
        tidied["description"] = _in_their_words(" ".join(schema["description"].split()))
    return tidied


def _in_their_words(text: str) -> str:
    """Members in the wire's spelling: ``payment_id`` is ``paymentId`` to a caller."""
    return re.sub(r"\b[a-z]+(?:_[a-z0-9]+)+\b", lambda found: _camel(found[0]), text)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
