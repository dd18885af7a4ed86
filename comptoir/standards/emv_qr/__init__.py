"""Merchant-presented QR codes of EMVCo: a shop shows, a wallet of any scheme scans.

EMV QR Code Specification for Payment Systems, Merchant-Presented Mode, version 1.1 (November 2020), as
public samples and implementations show it, read November 2026. A payload is a row of data objects, each
two digits of id, two of length and a value; ``00`` comes first, the checksum ``63`` last, the others in
any order. Objects 02 to 51 say to whom the money goes, each in the words of one payment scheme.

    >>> code = parse("00020101021129370016A000000677010111011300660000000005802TH530376454044.226304E469",
    ...              Profile.LENIENT)
    >>> code.country, str(code.money)
    ('TH', '4.22 THB')

Two profiles: STRICT is the standard, LENIENT what national schemes print (see `Profile`). Whatever the
profile, a wrong checksum, an object that comes twice, or a value that could not be understood is refused,
and the error names the object by its ids: ``54``, ``62.05``.
"""

from __future__ import annotations

from comptoir.standards.emv_qr.code import (
    MerchantCode,
    OtherLanguage,
    Tip,
    TipMode,
    build,
    parse,
    validate,
)
from comptoir.standards.emv_qr.errors import EmvQrMalformed
from comptoir.standards.emv_qr.layout import (
    REFERENCE,
    STORE,
    TERMINAL,
    Profile,
    is_template,
    spec_of,
    walk,
)
from comptoir.standards.emv_qr.objects import DataObject, checksum, read_objects, template
from comptoir.standards.emv_qr.templates import (
    Member,
    Template,
    TemplatesInvalid,
    parse_templates,
    template_of,
)

__all__ = [
    "REFERENCE",
    "STORE",
    "TERMINAL",
    "DataObject",
    "EmvQrMalformed",
    "Member",
    "MerchantCode",
    "OtherLanguage",
    "Profile",
    "Template",
    "TemplatesInvalid",
    "Tip",
    "TipMode",
    "build",
    "checksum",
    "is_template",
    "parse",
    "parse_templates",
    "read_objects",
    "spec_of",
    "template",
    "template_of",
    "validate",
    "walk",
]
