"""What can be wrong with a merchant-presented code."""

from __future__ import annotations

from comptoir.kernel.errors import InvalidValue


class EmvQrMalformed(InvalidValue):
    """Not a merchant-presented code, or not one of the profile asked for.

    `field` names the data object by its ids, the template first: ``54``, ``62.05``.
    """

    code = "emv_qr.malformed"
