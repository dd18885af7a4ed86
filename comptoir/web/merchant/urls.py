"""Addresses of the merchant's desk, below `/merchant/`."""

from __future__ import annotations

from django.urls import path

from comptoir.web.merchant import clients, disputes, notices, overview, payments, record, staff, stores
from comptoir.web.merchant.exports import export

urlpatterns = [
    path("", overview.home, name="merchant-home"),
    path("sandbox", overview.sandbox, name="merchant-sandbox"),
    path("payments", payments.payments, name="merchant-payments"),
    path("payments/<str:payment_id>", payments.payment, name="merchant-payment"),
    path("payments/<str:payment_id>/refund", payments.refund, name="merchant-refund"),
    path("export/<str:what>.<str:form>", export, name="merchant-export"),
    path("disputes", disputes.disputes, name="merchant-disputes"),
    path("disputes/<str:dispute_id>", disputes.dispute, name="merchant-dispute"),
    path("disputes/<str:dispute_id>/paper/<str:role>", disputes.paper, name="merchant-paper"),
    path("disputes/<str:dispute_id>/accept", disputes.accept, name="merchant-accept"),
    path("disputes/<str:dispute_id>/defend", disputes.defend, name="merchant-defend"),
    path("stores", stores.stores, name="merchant-stores"),
    path("staff", staff.staff, name="merchant-staff"),
    path("staff/<str:person_id>", staff.person, name="merchant-person"),
    path("staff/<str:person_id>/change", staff.change, name="merchant-person-change"),
    path("clients", clients.clients, name="merchant-clients"),
    path("clients/<str:client_ref>", clients.client, name="merchant-client"),
    path("clients/<str:client_ref>/change", clients.change, name="merchant-client-change"),
    path("clients/<str:client_ref>/check", clients.check, name="merchant-check"),
    path("clients/<str:client_ref>/check/<str:test_id>", clients.test_result, name="merchant-test-result"),
    path("notifications", notices.notices, name="merchant-notices"),
    path("notifications/<str:notice_id>/again", notices.resend, name="merchant-resend"),
    path("record", record.record, name="merchant-record"),
]
