"""What can be wrong with a message or a header of the Antom API."""

from __future__ import annotations

from comptoir.kernel.errors import InvalidValue


class ParamIllegal(InvalidValue):
    """A header or a member of the body is missing or malformed; `field` is its dotted wire spelling."""

    code = "antom.param_illegal"
