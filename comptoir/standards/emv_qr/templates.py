"""Account templates of payment schemes, as configuration.

What stands in an account template (26 to 51) is each scheme's own business, and the GUIDs are given out
by the schemes. None is known here: whoever has joined a scheme writes its template down, as JSON:

    {"promptpay": {"id": "29", "guid": "A000000677010111",
                   "members": {"01": {"name": "mobile number", "form": "0066[0-9]{9}"}}}}

`form` is a regular expression for the whole value; `"optional": true` lets a member be missing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from comptoir.kernel.errors import InvalidValue
from comptoir.standards.emv_qr.errors import EmvQrMalformed
from comptoir.standards.emv_qr.layout import GUID
from comptoir.standards.emv_qr.objects import DataObject, path_of, read_objects, template


class TemplatesInvalid(InvalidValue):
    """A configuration of templates that cannot be used; `field` says where."""

    code = "emv_qr.templates_invalid"


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a template: what it is, and the form of its value."""

    id: str
    name: str
    form: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Template:
    """How one scheme writes its account: under which id, with which GUID, with which members."""

    name: str
    id: str
    guid: str
    members: tuple[Member, ...]

    def account(self, values: Mapping[str, str]) -> DataObject:
        """The account object for `values` by member id. Raises EmvQrMalformed naming the member."""
        parts = [DataObject(GUID, self.guid)]
        parts += [DataObject(name, values[name]) for name in sorted(values)]
        account = template(self.id, parts)
        self.check(account)
        return account

    def check(self, account: DataObject) -> None:
        """Refuse an account that is not as the scheme writes it. Raises EmvQrMalformed."""
        found = {one.id: one.value for one in read_objects(account.value, account.id)}
        if found.pop(GUID, "").upper() != self.guid.upper():
            raise EmvQrMalformed(
                f"{account.id}.00 is not the GUID of {self.name}", field=path_of(account.id, GUID)
            )
        for member in self.members:
            path = path_of(account.id, member.id)
            value = found.pop(member.id, None)
            if value is None and not member.optional:
                raise EmvQrMalformed(f"{path} ({self.name}: {member.name}) is missing", field=path)
            if value is not None and re.fullmatch(member.form, value) is None:
                raise EmvQrMalformed(
                    f"{path} ({self.name}: {member.name}) does not have its form", field=path
                )
        for name in found:
            path = path_of(account.id, name)
            raise EmvQrMalformed(f"{path} is no member of {self.name}", field=path)


def template_of(account: DataObject, templates: Sequence[Template]) -> Template | None:
    """The scheme whose GUID an account template carries, under whatever id. Raises EmvQrMalformed."""
    guid = next((one.value for one in read_objects(account.value, account.id) if one.id == GUID), "")
    return next((one for one in templates if one.guid.upper() == guid.upper()), None)


def parse_templates(text: str) -> tuple[Template, ...]:
    """Read a configuration (see the module). Raises TemplatesInvalid."""
    try:
        given = json.loads(text)
    except ValueError:
        raise TemplatesInvalid("the templates are not JSON") from None
    if not isinstance(given, dict):
        raise TemplatesInvalid("the templates are not an object with a scheme's name for each")
    return tuple(_template(name, one) for name, one in given.items())


def _template(name: str, given: Any) -> Template:
    if not isinstance(given, dict) or set(given) != {"id", "guid", "members"}:
        raise TemplatesInvalid(f"{name} needs id, guid and members, and nothing else", field=name)
    number, guid, members = given["id"], given["guid"], given["members"]
    if not (isinstance(number, str) and re.fullmatch("2[6-9]|3[0-9]|4[0-9]|5[01]", number)):
        raise TemplatesInvalid(f"{name}.id is not one of 26 to 51", field=f"{name}.id")
    if not (isinstance(guid, str) and 0 < len(guid) <= 32):
        raise TemplatesInvalid(f"{name}.guid does not have 1 to 32 characters", field=f"{name}.guid")
    if not isinstance(members, dict):
        raise TemplatesInvalid(f"{name}.members is not an object", field=f"{name}.members")
    return Template(name, number, guid, tuple(_member(name, key, one) for key, one in members.items()))


def _member(scheme: str, key: str, given: Any) -> Member:
    where = f"{scheme}.members.{key}"
    if re.fullmatch("[0-9]{2}", key) is None or key == GUID:
        raise TemplatesInvalid(f"{where} is not one of 01 to 99", field=where)
    if not isinstance(given, dict) or not {"name", "form"} <= set(given) <= {"name", "form", "optional"}:
        raise TemplatesInvalid(f"{where} needs name and form, and may say optional", field=where)
    name, form, optional = given["name"], given["form"], given.get("optional", False)
    if not isinstance(name, str) or not isinstance(form, str) or not isinstance(optional, bool):
        raise TemplatesInvalid(f"{where} has a value of the wrong kind", field=where)
    try:
        re.compile(form)
    except re.error:
        raise TemplatesInvalid(f"{where}.form is no regular expression", field=f"{where}.form") from None
    return Member(key, name, form, optional)
