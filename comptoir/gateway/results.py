"""The house's dotted codes in the words of the API.

A decision of the engine has its word in `flows.wire`. An error is another matter: only those listed
here are the caller's to know, every other is our failure, whose outcome is unknown to them.
"""

from __future__ import annotations

from typing import Final

from comptoir.acquiring.api import DocumentUnfit
from comptoir.flows import api as flows
from comptoir.flows.wire import result_code
from comptoir.kernel.errors import ComptoirError, InvalidValue
from comptoir.kernel.money import UnknownCurrency
from comptoir.standards.antom.errors import NotSupported, ParamIllegal
from comptoir.standards.antom.messages import Result
from comptoir.standards.antom.results import ResultCode


class Turned(Exception):
    """The door answers by itself, with a result code and a message."""

    def __init__(self, code: ResultCode, message: str = "") -> None:
        super().__init__(code.value)
        self.code = code
        self.message = message


_ERRORS: Final = {
    ParamIllegal.code: ResultCode.PARAM_ILLEGAL,
    InvalidValue.code: ResultCode.PARAM_ILLEGAL,
    UnknownCurrency.code: ResultCode.PARAM_ILLEGAL,
    DocumentUnfit.code: ResultCode.PARAM_ILLEGAL,
    NotSupported.code: ResultCode.BUSINESS_NOT_SUPPORT,
    flows.Overloaded.code: ResultCode.REQUEST_TRAFFIC_EXCEED_LIMIT,
}


def error_result(error: ComptoirError) -> Result | None:
    """The result of an error that the caller may know of; None for a failure of ours."""
    code = _ERRORS.get(error.code)
    return None if code is None else Result.of(code, _named(error.message, error.field))


def outcome_result(outcome: flows.Outcome) -> Result:
    """The result of what the engine decided."""
    return Result.of(result_code(outcome.code), _named(outcome.message, outcome.field))


def _named(message: str, field: str | None) -> str:
    """The message, with the name of the wrong field in front unless it is there."""
    if not field or field in message:
        return message
    return f"{field}: {message}" if message else f"{field} is wrong"
