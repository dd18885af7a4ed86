"""What can be wrong with a message or a header of the Antom API."""

from __future__ import annotations

from comptoir.kernel.errors import ComptoirError, InvalidValue


class ParamIllegal(InvalidValue):
    """A header or a member of the body is missing or malformed; `field` is its dotted wire spelling."""

    code = "antom.param_illegal"


class NotSupported(ComptoirError):
    """A member of the body asks for what the API knows and Comptoir does not do; `field` as above."""

    code = "antom.not_supported"
