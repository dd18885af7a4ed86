"""Staff: whom an owner brings in, changes and lets go."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from comptoir.identity import api as identity
from comptoir.identity.api import PersonView, Role, StaffRefused
from comptoir.kernel.errors import ComptoirError
from comptoir.web.components import second_factor
from comptoir.web.components.access import Visitor, not_theirs, page_for, recently_authenticated
from comptoir.web.merchant import words
from comptoir.web.merchant.frame import OWNERS, id_of, show

_GIVEN = (Role.CASHIER, Role.MANAGER, Role.ACCOUNTANT, Role.OWNER)
_APPROVERS = (Role.MANAGER, Role.OWNER)


def _roles() -> list[tuple[str, str]]:
    return [(one.value, words.role(one)) for one in _GIVEN]


class PersonForm(forms.Form):
    """Somebody new."""

    display_name = forms.CharField(label=_("Name"), max_length=64)
    login = forms.CharField(
        label=_("Login"),
        max_length=64,
        help_text=_("An e-mail address or a short name; it stays."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "off"}),
    )
    role = forms.ChoiceField(label=_("Role"), choices=_roles)


@page_for(*OWNERS)
@recently_authenticated
@require_http_methods(["GET", "HEAD", "POST"])
def staff(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Everybody who works here; and bringing somebody in, whose first password is shown this once."""
    form = PersonForm(request.POST or None)
    made: tuple[PersonView, str] | None = None
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            with transaction.atomic():
                made = identity.create_staff(
                    visitor.person.id,
                    given["login"],
                    given["display_name"],
                    Role(given["role"]),
                    now=visitor.now,
                )
                visitor.did("staff.create", ("person", made[0].id.hex), role=given["role"])
        except identity.LoginTaken:
            form.add_error("login", gettext("This login is taken."))
        except ComptoirError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            form = PersonForm()
    people = [(one, words.role(one.role)) for one in identity.staff(visitor.merchant_id)]
    return show(request, visitor, "staff.html", "merchant-staff", people=people, form=form, made=made)


@page_for(*OWNERS)
@recently_authenticated
@require_http_methods(["GET", "HEAD"])
def person(request: HttpRequest, visitor: Visitor, person_id: str) -> HttpResponse:
    """One of them, and what can be changed."""
    return _page(request, visitor, _find(visitor, person_id))


@page_for(*OWNERS)
@recently_authenticated
@require_POST
def change(request: HttpRequest, visitor: Visitor, person_id: str) -> HttpResponse:
    """Another role, out, in again, another password, no second factor, another PIN."""
    one, what = _find(visitor, person_id), request.POST.get("what")
    password = None
    try:
        with transaction.atomic():
            match what:
                case "role":
                    role = Role(request.POST.get("role", ""))
                    identity.change_role(visitor.person.id, one.id, role)
                    visitor.did("staff.role", ("person", one.id.hex), role=role.value)
                case "out" | "in":
                    identity.set_staff_active(visitor.person.id, one.id, active=what == "in", now=visitor.now)
                    visitor.did("staff.in" if what == "in" else "staff.out", ("person", one.id.hex))
                case "reset":
                    password = identity.reset_password(visitor.person.id, one.id)
                    visitor.did("staff.reset", ("person", one.id.hex))
                case "factor":
                    identity.end_staff_logins(visitor.person.id, one.id, now=visitor.now)
                    second_factor.remove_all(one.id)
                    visitor.did("staff.second_factor", ("person", one.id.hex))
                case "approve" if one.role in _APPROVERS:
                    identity.set_pin(one.id, request.POST.get("pin", ""))
                    visitor.did("staff.approval", ("person", one.id.hex))
                case _:
                    not_theirs()
    except ValueError:
        not_theirs()
    except StaffRefused as error:
        messages.error(request, _refused(error))
    except identity.PinUnfit:
        messages.error(request, gettext("A PIN has six digits, neither one repeated nor a run."))
    else:
        if password is not None:
            return _page(request, visitor, _find(visitor, person_id), password)
        messages.success(request, gettext("Changed."))
    return HttpResponseRedirect(reverse("merchant-person", args=[one.id.hex]), status=303)


def _page(
    request: HttpRequest, visitor: Visitor, one: PersonView, password: str | None = None
) -> HttpResponse:
    return show(
        request,
        visitor,
        "person.html",
        "merchant-staff",
        one=one,
        role=words.role(one.role),
        roles=_roles(),
        own=one.id == visitor.person.id,
        approves=one.role in _APPROVERS,
        has_pin=identity.has_pin(one.id),
        has_factor=one.id in second_factor.who_has_one([one.id]),
        password=password,
    )


def _find(visitor: Visitor, person_id: str) -> PersonView:
    """Somebody of the visitor's merchant. Raises Http404."""
    found = identity.person_by_id(id_of(person_id))
    if found is None or found.merchant_id != visitor.merchant_id:
        not_theirs()
    return found


def _refused(error: StaffRefused) -> str:
    """Which rule is in the way, in words."""
    if error.field == "self":
        return gettext("Nobody changes this of themselves: ask another owner.")
    if error.field == "owner":
        return gettext("A merchant always has an owner.")
    return gettext("This is not for you to change.")
