"""Stores and their tills."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from comptoir.acquiring import api as acquiring
from comptoir.kernel.errors import ComptoirError
from comptoir.kernel.ids import new_id
from comptoir.web.components.access import Visitor, page_for
from comptoir.web.merchant.frame import ACTORS, READERS, merchant_of, show


class StoreForm(forms.Form):
    """A place to sell: what the merchant calls it, and where it is."""

    ref = forms.CharField(label=_("Reference"), max_length=64, help_text=_("As your tills send it."))
    name = forms.CharField(label=_("Name"), max_length=256)
    city = forms.CharField(label=_("City"), max_length=64)


class TillForm(forms.Form):
    """A till of one of the stores."""

    store = forms.ChoiceField(label=_("Store"))
    ref = forms.CharField(label=_("Reference"), max_length=64)

    def __init__(self, *args: Any, stores: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["store"].choices = stores  # type: ignore[attr-defined]


@page_for(*READERS)
@require_http_methods(["GET", "HEAD", "POST"])
def stores(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """All stores; owners and managers add stores and tills."""
    merchant = merchant_of(visitor, request)
    choices = [(one.id.hex, one.name) for one in merchant.stores]
    posted = request.POST if request.method == "POST" and visitor.role in ACTORS else None
    what = posted.get("what") if posted else None
    store_form = StoreForm(posted if what == "store" else None, prefix="store")
    till_form = TillForm(posted if what == "till" else None, stores=choices, prefix="till")
    form = {"store": store_form, "till": till_form}.get(what or "")
    if form is not None and form.is_valid():
        given = form.cleaned_data
        try:
            with transaction.atomic():
                if what == "store":
                    acquiring.add_store(
                        merchant.id,
                        new_id(),
                        ref=given["ref"],
                        name=given["name"],
                        mcc=merchant.mcc,
                        city=given["city"],
                        country=merchant.country,
                        now=visitor.now,
                    )
                    visitor.did("store.create", ("store", given["ref"]))
                else:
                    store = next(one for one in merchant.stores if one.id.hex == given["store"])
                    acquiring.add_terminal(merchant.id, new_id(), store.id, ref=given["ref"], now=visitor.now)
                    visitor.did("till.create", ("till", given["ref"]))
        except (acquiring.StoreExists, acquiring.TerminalExists):
            form.add_error("ref", gettext("This reference is taken."))
        except ComptoirError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            messages.success(request, gettext("Added."))
            return HttpResponseRedirect(reverse("merchant-stores"), status=303)
    return show(
        request,
        visitor,
        "stores.html",
        "merchant-stores",
        merchant=merchant,
        store_form=store_form,
        till_form=till_form,
    )
