"""Asks an upstream, and judges what it answers by the rules of comptoir.wallet.connectors.

Our authorization id is its paymentRequestId, so every question about an authorization is by the same id,
from whichever process. What each answer means: docs/reference/upstream.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from datetime import datetime
from typing import Final

import httpx
import structlog

from comptoir.kernel.clock import Clock, utc_now
from comptoir.kernel.errors import InvalidValue
from comptoir.kernel.ids import derived_id, parse_id
from comptoir.standards.antom.errors import ParamIllegal
from comptoir.standards.antom.messages import Result
from comptoir.standards.antom.results import ResultCode, ResultStatus
from comptoir.standards.antom.times import parse_time
from comptoir.wallet import errors
from comptoir.wallet.connectors import (
    DEADLINE_S,
    AnswerState,
    AuthoriseRequest,
    Authorization,
    IssuerAnswer,
    Notice,
    RefundRequest,
)
from comptoir.wallet.connectors.upstream import dialects
from comptoir.wallet.connectors.upstream.dialects import Said
from comptoir.wallet.connectors.upstream.line import CLOCK_SKEW, Line
from comptoir.wallet.types import UpstreamAccount

_UNKNOWN: Final = IssuerAnswer(state=AnswerState.UNKNOWN)

#: Leaves our own deadline time to be kept.
_SECONDS: Final = DEADLINE_S - 0.5

#: Refusals of the caller, not of the payment: what an earlier try of the same request did, they do not say.
#: SYSTEM_ERROR is a refusal by its letter (F) and a failure of theirs by its meaning.
_OF_THE_CALLER: Final = frozenset(
    {
        ResultCode.INVALID_SIGNATURE,
        ResultCode.INVALID_CLIENT,
        ResultCode.UNKNOWN_CLIENT,
        ResultCode.INVALID_CLIENT_STATUS,
        ResultCode.CLIENT_FORBIDDEN_ACCESS_API,
        ResultCode.KEY_NOT_FOUND,
        ResultCode.INVALID_API,
        ResultCode.NO_INTERFACE_DEF,
        ResultCode.METHOD_NOT_SUPPORTED,
        ResultCode.MEDIA_TYPE_NOT_ACCEPTABLE,
        ResultCode.ACCESS_DENIED,
        ResultCode.OAUTH_FAILED,
        ResultCode.SYSTEM_ERROR,
        ResultCode.REPEAT_REQ_INCONSISTENT,
        ResultCode.ORDER_NOT_EXIST,
    }
)

#: Why a wallet said no, in our words; every other refusal is just one.
_REASONS: Final = {
    ResultCode.EXPIRED_CODE: errors.CODE_EXPIRED,
    ResultCode.INVALID_PAYMENT_CODE: errors.CODE_INVALID,
    ResultCode.INVALID_CODE: errors.CODE_INVALID,
    ResultCode.USER_BALANCE_NOT_ENOUGH: errors.BALANCE_INSUFFICIENT,
    ResultCode.PAYMENT_AMOUNT_EXCEED_LIMIT: errors.PAYMENT_LIMIT,
    ResultCode.USER_AMOUNT_EXCEED_LIMIT: errors.DAY_LIMIT,
    ResultCode.USER_STATUS_ABNORMAL: errors.WALLET_INACTIVE,
    ResultCode.USER_PAYMENT_VERIFICATION_FAILED: errors.DECLINED,
    ResultCode.ORDER_IS_CANCELED: errors.CANCELLED,
    ResultCode.ORDER_IS_CLOSED: errors.AUTHORIZATION_CLOSED,
}

log = structlog.get_logger("comptoir.issuers")


class UpstreamConnector:
    """The connector to one upstream account. Holds no state but connections."""

    def __init__(
        self,
        account: UpstreamAccount,
        public_url: str,
        *,
        clock: Clock = utc_now,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`public_url` is where the upstream reaches us with notifications."""
        self._name = account.name
        self._public_url = public_url
        self._clock = clock
        self._words = dialects.dialect_of(account)
        self._line = Line(account, clock, transport)

    async def authorise(self, request: AuthoriseRequest) -> IssuerAnswer:
        """pay, with the code that was scanned."""
        asked = Authorization(
            authorization_id=request.authorization_id, charge=request.charge, expires_at=request.expires_at
        )
        body = self._words.pay(request, f"{self._public_url}{notify_path(self._name, request)}")
        return await _bounded(self._authorise(asked, body))

    async def query(self, asked: Authorization) -> IssuerAnswer:
        """inquiryPayment. No such payment: unknown, the request may still be on its way."""
        return await _bounded(self._query(asked))

    async def reverse(self, asked: Authorization) -> IssuerAnswer:
        """cancel; a payment that is too old for it is refunded whole."""
        return await _bounded(self._reverse(asked))

    async def refund(self, request: RefundRequest) -> IssuerAnswer:
        """refund. Asking again is the same request again, under the same id."""
        return await _bounded(self._refund(request))

    def heard(self, path: str, headers: Mapping[str, str], body: bytes) -> Notice | None:
        """notifyPayment. Its amounts are not looked at: what is true is asked for."""
        reason = self._line.doubt(path, headers, body, "request-time")
        if reason is None:
            try:
                said = self._words.notified(body)
                authorization_id = parse_id(said.request_ref or "", "paymentRequestId")
                return Notice(authorization_id, _answer(said, pending=AnswerState.PENDING).state)
            except InvalidValue as error:
                reason = f"{error.field} cannot be read"
        log.error("issuers.notification_not_believed", issuer=self._name, reason=reason)
        return None

    async def probe(self) -> Result | None:
        """Ask about a payment that nobody ever made: who answers ORDER_NOT_EXIST knows us, and we them."""
        nobody = derived_id("probe", self._name).hex
        try:
            async with asyncio.timeout(_SECONDS):
                body = await self._line.post(self._words.path("inquiryPayment"), dialects.inquiry(nobody))
            return None if body is None else self._words.inquired(body)[0]
        except (TimeoutError, ParamIllegal):
            return None

    async def aclose(self) -> None:
        """Close all connections."""
        await self._line.aclose()

    # ------------------------------------------------------------ asking

    async def _authorise(self, asked: Authorization, body: bytes) -> IssuerAnswer:
        answer = await self._line.post(self._words.path("pay"), body)
        return _UNKNOWN if answer is None else self._judge(self._words.paid(answer), asked)

    async def _query(self, asked: Authorization) -> IssuerAnswer:
        body = await self._line.post(
            self._words.path("inquiryPayment"), dialects.inquiry(asked.authorization_id.hex)
        )
        if body is None:
            return _UNKNOWN
        result, said = self._words.inquired(body)
        if result.result_status is not ResultStatus.SUCCESS or said is None:
            return _UNKNOWN
        return self._judge(said, asked)

    async def _reverse(self, asked: Authorization) -> IssuerAnswer:
        body = await self._line.post(
            self._words.path(self._words.cancel_name), dialects.cancellation(asked.authorization_id.hex)
        )
        if body is None:
            return _UNKNOWN
        said = dialects.cancelled(body)
        if said.request_ref not in (None, asked.authorization_id.hex):
            return self._not_believed("another payment was cancelled")
        if said.result.result_status is ResultStatus.SUCCESS:
            return IssuerAnswer(state=AnswerState.SUCCEEDED, issuer_ref=said.issuer_ref)
        match _code(said.result):
            case ResultCode.ORDER_NOT_EXIST:
                return self._never_seen(asked)
            case ResultCode.CANCEL_WINDOW_EXCEED:
                return await self._give_back(asked)
        # What became of the cancellation is what has become of the payment.
        stands = await self._query(asked)
        return IssuerAnswer(state=AnswerState.SUCCEEDED) if stands.state is AnswerState.FAILED else _UNKNOWN

    def _never_seen(self, asked: Authorization) -> IssuerAnswer:
        """It cannot be barred; but a request that comes so late is refused for its age, and its expiry."""
        if self._clock() > asked.expires_at + CLOCK_SKEW:
            return IssuerAnswer(state=AnswerState.SUCCEEDED)
        return _UNKNOWN

    async def _give_back(self, asked: Authorization) -> IssuerAnswer:
        """All of it as a refund, whose id is the authorization's for ever: asked for again, given once."""
        stands = await self._query(asked)
        if stands.state is not AnswerState.SUCCEEDED or stands.issuer_ref is None:
            return _UNKNOWN
        given = await self._refund(
            RefundRequest(
                refund_id=derived_id("reversal", asked.authorization_id.hex),
                authorization_id=asked.authorization_id,
                issuer_ref=stands.issuer_ref,
                amount=asked.charge,
            )
        )
        return given if given.state is AnswerState.SUCCEEDED else _UNKNOWN

    async def _refund(self, request: RefundRequest) -> IssuerAnswer:
        body = await self._line.post(self._words.path("refund"), self._words.refund(request))
        if body is None:
            return _UNKNOWN
        said = self._words.refunded(body)
        if said.request_ref not in (None, request.refund_id.hex):
            return self._not_believed("it is about another refund")
        if said.result.result_status is ResultStatus.SUCCESS and said.amount != request.amount:
            return self._not_believed("another amount was given back")
        return _answer(said, pending=AnswerState.UNKNOWN)

    # ------------------------------------------------------------ judging

    def _judge(self, said: Said, asked: Authorization) -> IssuerAnswer:
        """An answer about a payment, held against what was asked."""
        if said.request_ref not in (None, asked.authorization_id.hex):
            return self._not_believed("it is about another payment")
        if said.result.result_status is ResultStatus.SUCCESS and said.amount != asked.charge:
            return self._not_believed("it says another amount")
        return _answer(said, pending=AnswerState.PENDING)

    def _not_believed(self, reason: str) -> IssuerAnswer:
        log.error("issuers.answer_not_believed", issuer=self._name, reason=reason)
        return _UNKNOWN


def notify_path(name: str, request: AuthoriseRequest) -> str:
    """Where an upstream tells us about one payment: the path says which, and is signed."""
    return f"/aps/notify/{name}/{request.merchant_ref}/{request.payment_id.hex}"


async def _bounded(call: Awaitable[IssuerAnswer]) -> IssuerAnswer:
    """The answer in time, or UNKNOWN; an answer that cannot be read is none."""
    try:
        async with asyncio.timeout(_SECONDS):
            return await call
    except (TimeoutError, ParamIllegal):
        return _UNKNOWN


def _answer(said: Said, *, pending: AnswerState) -> IssuerAnswer:
    """What an answer that is about the right thing means. `pending`: what "in process" means here."""
    code = _code(said.result)
    match said.result.result_status:
        case ResultStatus.SUCCESS if said.issuer_ref:
            return IssuerAnswer(
                state=AnswerState.SUCCEEDED,
                issuer_ref=said.issuer_ref[:64],
                wallet_amount=said.wallet_amount,
                decided_at=_instant(said.at),
            )
        case ResultStatus.FAILED if code not in _OF_THE_CALLER:
            return IssuerAnswer(state=AnswerState.FAILED, code=_REASONS.get(code, errors.REFUSED))
        case ResultStatus.UNKNOWN if code is ResultCode.PAYMENT_IN_PROCESS:
            return IssuerAnswer(state=pending, issuer_ref=said.issuer_ref)
        case _:
            return _UNKNOWN


def _code(result: Result) -> ResultCode:
    """The code, where we know it; a word we do not know is judged by its status alone."""
    try:
        return ResultCode(result.result_code)
    except ValueError:
        return ResultCode.PROCESS_FAIL


def _instant(text: str | None) -> datetime | None:
    return parse_time(text, "paymentTime") if text else None
