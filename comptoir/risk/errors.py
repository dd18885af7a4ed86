"""What can go wrong with rules, and the code of a payment that they refuse."""

from __future__ import annotations

from comptoir.kernel.errors import ComptoirError, InvalidValue

#: The payment was refused by a rule. Nobody outside is told which.
REFUSED = "risk.refused"


class RulesInvalid(InvalidValue):
    """The rule set is not as it must be; the message names the rule, `field` the member."""

    code = "risk.rules_invalid"


class VersionUnknown(ComptoirError):
    """There is no rule set of this version."""

    code = "risk.version_unknown"
