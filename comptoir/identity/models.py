"""Tables of identity."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from comptoir.identity.rules import MERCHANT_ROLES, OFFICE_ROLES
from comptoir.identity.types import ClientStatus, Role
from comptoir.standards.antom.api_key import Kind

# Plain strings, as migrations are to hold them.
_ROLES = [role.value for role in Role]
_AT_MERCHANT = sorted(role.value for role in MERCHANT_ROLES)
_AT_OFFICE = sorted(role.value for role in OFFICE_ROLES)


class Person(AbstractBaseUser, PermissionsMixin):
    """Somebody who logs in. People are made by `operations.people`.

    `must_change_password`: somebody else knows it. `logged_out_at`: logins of before are over.
    `language` and `theme`: of their pages, once they chose.
    """

    id = models.UUIDField(primary_key=True)
    login = models.CharField(max_length=64, unique=True)
    display_name = models.CharField(max_length=64)
    role = models.CharField(max_length=16)
    merchant_id = models.UUIDField(null=True, db_index=True)
    office_id = models.UUIDField(null=True, db_index=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    must_change_password = models.BooleanField(default=False, db_default=False)
    logged_out_at = models.DateTimeField(null=True)
    language = models.CharField(max_length=16, null=True)
    theme = models.CharField(max_length=16, null=True)

    objects = BaseUserManager["Person"]()

    USERNAME_FIELD = "login"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        db_table = "identity_person"
        indexes = [models.Index(fields=["role", "login"], name="identity_person_by_role")]
        constraints = [
            models.CheckConstraint(name="identity_person_role", condition=Q(role__in=_ROLES)),
            models.CheckConstraint(
                name="identity_person_place",
                condition=Q(role__in=_AT_MERCHANT, merchant_id__isnull=False, office_id__isnull=True)
                | Q(role__in=_AT_OFFICE, office_id__isnull=False, merchant_id__isnull=True)
                | Q(merchant_id__isnull=True, office_id__isnull=True)
                & ~Q(role__in=_AT_MERCHANT + _AT_OFFICE),
            ),
        ]

    def __str__(self) -> str:
        return self.login


class PersonPin(models.Model):
    """The PIN with which somebody who works here approves, beside the password with which they log in."""

    person_id = models.UUIDField(primary_key=True)
    # Six digits have a million values: the argon2 hash is sealed too, so a stolen table alone gives no PIN.
    sealed_hash = models.BinaryField()
    failures = models.SmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)

    class Meta:
        db_table = "identity_person_pin"


class AuditEntry(models.Model):
    """Who did what: a row is added, never changed or taken away (trigger).

    `owner_id` is the merchant, the office, the operator or, for a traveller, the person: whose record it is.
    """

    pk = models.CompositePrimaryKey("owner_id", "id")
    owner_id = models.UUIDField()
    id = models.UUIDField()
    person_id = models.UUIDField()
    action = models.CharField(max_length=64)
    subject_kind = models.CharField(max_length=32, default="")
    subject_id = models.CharField(max_length=64, default="")
    at = models.DateTimeField()
    details = models.JSONField(default=dict)

    class Meta:
        db_table = "identity_audit_entry"
        indexes = [
            models.Index(
                fields=["owner_id", "subject_kind", "subject_id", "-id"], name="identity_audit_subject"
            ),
            models.Index(fields=["owner_id", "person_id", "-id"], name="identity_audit_person"),
        ]


class ApiClient(models.Model):
    """A machine that signs its requests, for one merchant; an acquirer's, for merchants of its own."""

    id = models.UUIDField(primary_key=True)
    client_ref = models.CharField(max_length=64, unique=True)
    merchant_id = models.UUIDField(db_index=True)
    sandbox = models.BooleanField()
    acquirer = models.BooleanField(default=False, db_default=False)
    status = models.CharField(max_length=9, default=ClientStatus.ACTIVE.value)
    notify_url = models.CharField(max_length=2048, null=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "identity_api_client"
        constraints = [
            models.CheckConstraint(
                name="identity_api_client_status",
                condition=Q(status__in=[status.value for status in ClientStatus]),
            ),
            models.CheckConstraint(
                name="identity_api_client_sandbox",
                condition=Q(sandbox=True, client_ref__startswith="SANDBOX_")
                | (Q(sandbox=False) & ~Q(client_ref__startswith="SANDBOX_")),
            ),
        ]


class ApiClientKey(models.Model):
    """A public key of a client. A revoked one stays, so that its version is never used again."""

    id = models.UUIDField(primary_key=True)
    client = models.ForeignKey(ApiClient, on_delete=models.PROTECT, related_name="keys")
    version = models.IntegerField()
    public_key = models.BinaryField()
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "identity_api_client_key"
        constraints = [
            models.UniqueConstraint(fields=["client", "version"], name="identity_api_client_key_one"),
            models.CheckConstraint(name="identity_api_client_key_version", condition=Q(version__gte=1)),
        ]


class ApiKey(models.Model):
    """A secret that stands for a client. Only its SHA-256 is kept: 256 random bits need no slow hash."""

    id = models.UUIDField(primary_key=True)
    client = models.ForeignKey(ApiClient, on_delete=models.PROTECT, related_name="api_keys")
    kind = models.CharField(max_length=4)
    secret_hash = models.BinaryField()
    operations = ArrayField(models.CharField(max_length=64), null=True)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "identity_api_key"
        constraints = [
            models.CheckConstraint(
                name="identity_api_key_kind",
                condition=Q(kind=Kind.STANDARD.value, operations__isnull=True)
                | Q(kind=Kind.RESTRICTED.value, operations__isnull=False),
            ),
        ]


class PlatformKey(models.Model):
    """Our own key pair. `sealed_private_key` opens with the master key only."""

    version = models.IntegerField(primary_key=True)
    sealed_private_key = models.BinaryField()
    public_key = models.BinaryField()
    active = models.BooleanField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "identity_platform_key"
        constraints = [
            models.UniqueConstraint(
                fields=["active"], condition=Q(active=True), name="identity_platform_key_one_active"
            ),
            models.CheckConstraint(name="identity_platform_key_version", condition=Q(version__gte=1)),
        ]
