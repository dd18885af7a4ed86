"""What can go wrong, as values with a stable dotted code."""

from __future__ import annotations


class ComptoirError(Exception):
    """It did not happen: nothing was posted, reserved or recorded.

    `code` is stable and dotted (``context.reason``); doors translate it into their caller's
    format. `field` names the input at fault in the caller's own spelling, if one field is.
    The message is for people: it never carries a secret, a card number or an identity number.
    """

    code = "comptoir.error"

    def __init__(self, message: str, *, code: str | None = None, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        if code is not None:
            self.code = code


class InvalidValue(ComptoirError):
    """A value from outside does not have the form it must have."""

    code = "kernel.invalid_value"


class InvariantBroken(ComptoirError):
    """Something that can never be true is true: stop loudly, change nothing."""

    code = "kernel.invariant_broken"
