"""Addresses of the counter, below `/counter/`."""

from __future__ import annotations

from django.urls import path

from comptoir.web.counter import day, giving_back, offline, place, printing, sale

urlpatterns = [
    path("", sale.home, name="counter-home"),
    path("offline", offline.offline, name="counter-offline"),
    path("manifest.webmanifest", offline.manifest, name="counter-manifest"),
    path("worker.js", offline.service_worker, name="counter-worker"),
    path("till", place.place, name="counter-place"),
    path("sale/<uuid:sale_id>", sale.sale, name="counter-sale"),
    path("payments/<uuid:payment_id>/close", giving_back.close, name="counter-close"),
    path("payments/<uuid:payment_id>/refund", giving_back.refund, name="counter-refund"),
    path("payments/<uuid:payment_id>/receipt", printing.receipt_page, name="counter-receipt"),
    path("payments/<uuid:payment_id>/receipt.pdf", printing.receipt_pdf, name="counter-receipt-pdf"),
    path("poster", printing.poster, name="counter-poster"),
    path("read", sale.read_code, name="counter-read"),
    path("day", day.day, name="counter-day"),
    path("totals", day.totals, name="counter-totals"),
    path("payments/<uuid:payment_id>", day.payment, name="counter-payment"),
]
