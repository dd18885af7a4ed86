"""The transport rules: receive, check, hand over, answer. In this order, and never otherwise.

1. Only POST, no signed header twice, a body of limited size in limited time.
2. A path of the catalogue; a client we know; a key of theirs; a signature over the raw body. Or an API
   key, and a path that it is for.
3. A Request-Time near our own, if it was signed; a client that is not suspended and within its rate; JSON.
4. The operation, if it is open here.

Whatever happens, the answer is HTTP 200, signed over the path that the caller signed.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import time
import traceback
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from comptoir.gateway.api_keys import ApiKeys
from comptoir.gateway.call import Call, Operations
from comptoir.gateway.clients import Clients
from comptoir.gateway.results import Turned, error_result
from comptoir.gateway.signer import Signer
from comptoir.gateway.throttle import Throttle
from comptoir.gateway.transport import (
    Head,
    HungUp,
    Receive,
    Scope,
    Send,
    echo,
    read_body,
    read_head,
    send_answer,
)
from comptoir.identity.api import ClientStatus, ClientView
from comptoir.kernel.clock import Clock, utc_now
from comptoir.kernel.errors import ComptoirError
from comptoir.kernel.watch import NOBODY, Trace, Watch, begin, process_token
from comptoir.standards.antom.messages import Message, Result, encode
from comptoir.standards.antom.paths import Operation, operation_of, signed_paths
from comptoir.standards.antom.results import ResultCode
from comptoir.standards.antom.signing import content_to_sign, parse_header, verify
from comptoir.standards.antom.times import format_time, parse_time

log = structlog.get_logger("comptoir.gateway")

_LOGGED_PATH: Final = 120

#: Operations whose requests carry a document.
_WITH_DOCUMENTS: Final = frozenset({"payments/supplyDefenseDocument"})


@dataclass(frozen=True, slots=True)
class Limits:
    """What the door takes. SDKs give up after 15 s: by then the caller is known and the operation done.

    `large_body_bytes`: of operations that carry a document, of which few may be under way.
    `operation_seconds` is for both: a database that is away may hold up either. `client_per_second` 0: no
    limit.
    """

    body_bytes: int = 256 * 1024
    large_body_bytes: int = 1_100_000
    large_in_flight: int = 16
    body_seconds: float = 10.0
    operation_seconds: float = 12.0
    in_flight: int = 4096
    client_per_second: int = 0
    clock_skew: timedelta = timedelta(minutes=15)


@dataclass(slots=True)
class _Answer:
    """What will be sent, to whom, and the path it is signed over."""

    path: str
    client_id: str
    body: bytes = b""
    code: str = ""
    subject: str = ""
    operation: str = "other"


class _Refusal(Message, frozen=True):
    """An answer that holds nothing but its result."""

    result: Result


class Door:
    """The ASGI application behind every path but ``/healthz`` and ``/readyz``."""

    def __init__(
        self,
        *,
        clients: Clients,
        api_keys: ApiKeys,
        signer: Signer,
        operations: Operations,
        limits: Limits | None = None,
        clock: Clock = utc_now,
        watch: Watch = NOBODY,
    ) -> None:
        self._clients = clients
        self._api_keys = api_keys
        self._signer = signer
        self._operations = operations
        self._limits = limits or Limits()
        self._clock = clock
        self._watch = watch
        self._throttle = Throttle(self._limits.client_per_second)
        self._in_flight = 0
        self._large = 0
        # Request ids: this process, then a running number. Unique, and cheaper than a UUID each.
        self._process = process_token()
        self._numbers = itertools.count(1)

    def sign_with(self, signer: Signer) -> None:
        """Sign with another key from now on."""
        self._signer = signer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP exchange."""
        started = time.perf_counter()
        trace = begin(f"{self._process}{next(self._numbers):08x}")
        now = self._clock()
        head = read_head(scope)
        operation, result = "other", "hung_up"
        self._in_flight += 1
        self._watch.request_begun()
        try:
            answer = await self._answer(head, receive, now, trace.request_id)
            client_id, sent = answer.client_id, format_time(self._clock())
            signature = self._signer.header(answer.path, client_id, sent, answer.body)
            await send_answer(send, answer.body, client_id, sent, signature)
            operation, result = answer.operation, answer.code
        except HungUp:
            return
        finally:
            self._in_flight -= 1
            seconds = time.perf_counter() - started
            self._watch.request_ended(operation, result, seconds, trace)
        log.info(
            "answered",
            request_id=trace.request_id,
            client_id=client_id,
            path=head.path[:_LOGGED_PATH],
            result=answer.code,
            ms=round(seconds * 1000, 1),
            **_where_it_went(answer, trace),
        )

    async def _answer(self, head: Head, receive: Receive, now: datetime, request_id: str) -> _Answer:
        """The answer, whatever goes wrong. The path is refined once a signature has verified."""
        answer = _Answer(signed_paths(head.path)[-1], echo(head.client_id))
        large = _carries_document(head)
        self._large += large
        try:
            body = await self._read(receive, head, large=large)
            operation = self._admit(head)
            answer.operation = operation.name
            async with asyncio.timeout(self._limits.operation_seconds):
                if head.has_api_key:
                    client = await self._api_keys.holder(head, operation)
                    answer.client_id = client.client_ref
                else:
                    client, answer.path = await self._recognize(head, body)
                    self._check_time(head.request_time, now)
                if client.status is not ClientStatus.ACTIVE:
                    raise Turned(ResultCode.INVALID_CLIENT_STATUS)
                if not self._throttle.admits(client.client_ref):
                    raise Turned(ResultCode.REQUEST_TRAFFIC_EXCEED_LIMIT)
                message = await self._perform(operation, Call(client, body, now, request_id), head)
            answer.body, answer.code = encode(message), _code_in(message)
            answer.subject = _subject_of(message)
            return answer
        except Turned as turned:
            result = Result.of(turned.code, turned.message)
        except HungUp:
            raise
        except ComptoirError as error:
            result = error_result(error) or _unknown(error, request_id)
        except Exception as failure:  # the caller gets a signed answer, we get the place
            result = _unknown(failure, request_id)
        finally:
            self._large -= large
        answer.body, answer.code = encode(_Refusal(result=result)), result.result_code
        return answer

    async def _read(self, receive: Receive, head: Head, *, large: bool) -> bytes:
        """The body. Raises ParamIllegal, HungUp, and Turned when too many large ones are under way."""
        if not large:
            return await read_body(receive, head, self._limits.body_bytes, self._limits.body_seconds)
        if self._large > self._limits.large_in_flight:
            raise Turned(ResultCode.REQUEST_TRAFFIC_EXCEED_LIMIT)
        return await read_body(receive, head, self._limits.large_body_bytes, self._limits.body_seconds)

    def _admit(self, head: Head) -> Operation:
        """What can be said without knowing who asks. Raises Turned, ParamIllegal."""
        if self._in_flight > self._limits.in_flight:
            raise Turned(ResultCode.REQUEST_TRAFFIC_EXCEED_LIMIT)
        if head.method != "POST":
            raise Turned(
                ResultCode.METHOD_NOT_SUPPORTED, f"{head.method[:16]} is not supported: only POST is"
            )
        operation = operation_of(signed_paths(head.path)[-1])
        if operation is None:
            raise Turned(
                ResultCode.NO_INTERFACE_DEF,
                "there is no such path here: paths begin with /ams/api/v1/ or /ams/sandbox/api/v1/,"
                " an acquirer's with /aps/api/v1/",
            )
        if head.fault is not None:
            raise head.fault
        return operation

    async def _recognize(self, head: Head, body: bytes) -> tuple[ClientView, str]:
        """Who asks, proven, and the path they signed. Raises Turned, ParamIllegal."""
        if not head.client_id or echo(head.client_id) != head.client_id:
            raise Turned(ResultCode.INVALID_CLIENT)
        header = parse_header(head.signature)
        client = await self._clients.get(head.client_id)
        if client is None:
            raise Turned(ResultCode.UNKNOWN_CLIENT)
        key = client.key(header.key_version)
        if key is None:
            raise Turned(ResultCode.KEY_NOT_FOUND)
        signature = header.signature()
        if signature is None:
            raise Turned(ResultCode.INVALID_SIGNATURE, "the signature is not base64 with URL encoding on top")
        content = b""
        for path in signed_paths(head.path):
            content = content_to_sign(path, head.client_id, head.request_time, body)
            if verify(key, content, signature):
                return client.view, path
        digest = hashlib.sha256(content).hexdigest()
        raise Turned(
            ResultCode.INVALID_SIGNATURE,
            f"the signature does not verify. Compare the SHA-256 of your string to sign: here it is {digest}",
        )

    def _check_time(self, request_time: str, now: datetime) -> None:
        """Refuse what was signed too long ago or ahead of us: it may be a recording. Raises Turned."""
        if abs(parse_time(request_time, "Request-Time") - now) > self._limits.clock_skew:
            raise Turned(
                ResultCode.INVALID_SIGNATURE,
                f"Request-Time {request_time[:40]} is too far from our clock, {format_time(now)}",
            )

    async def _perform(self, operation: Operation, call: Call, head: Head) -> Message:
        """Hand over to the operation. Raises Turned, ComptoirError, or anything on a failure of ours."""
        perform = self._operations.get(operation.key)
        if perform is None:
            raise Turned(ResultCode.NO_INTERFACE_DEF)
        if operation.family == "aps" and not call.client.acquirer:
            raise Turned(ResultCode.CLIENT_FORBIDDEN_ACCESS_API)
        if not head.is_json:
            raise Turned(ResultCode.MEDIA_TYPE_NOT_ACCEPTABLE)
        return await perform(call)


def _code_in(message: Message) -> str:
    result = getattr(message, "result", None)
    return result.result_code if isinstance(result, Result) else ""


def _carries_document(head: Head) -> bool:
    operation = operation_of(signed_paths(head.path)[-1])
    return operation is not None and operation.key in _WITH_DOCUMENTS


def _subject_of(message: Message) -> str:
    """Our id of what the answer is about: a refund, else a payment; the worker's lines name the same."""
    return getattr(message, "refund_id", None) or getattr(message, "payment_id", None) or ""


def _where_it_went(answer: _Answer, trace: Trace) -> dict[str, object]:
    """What the log line says beyond the exchange itself: the record, and the batch that carried it."""
    found: dict[str, object] = {"subject_id": answer.subject} if answer.subject else {}
    if trace.batch:
        found["batch"] = trace.batch
        found["queued_ms"] = round(trace.waited * 1000, 1)
        found["books_ms"] = round(trace.in_books * 1000, 1)
    return found


def _unknown(failure: Exception, request_id: str) -> Result:
    """Say that nothing is known, with an id to ask about; log where it happened, never what was in it."""
    log.error(
        "failed",
        request_id=request_id,
        error=type(failure).__qualname__,
        where=traceback.format_tb(failure.__traceback__)[-4:],
    )
    message = f"{ResultCode.UNKNOWN_EXCEPTION.message} (request {request_id})"
    return Result.of(ResultCode.UNKNOWN_EXCEPTION, message)
