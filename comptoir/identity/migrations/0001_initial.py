"""The first tables of identity."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="ApiClient",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("client_ref", models.CharField(max_length=64, unique=True)),
                ("merchant_id", models.UUIDField(db_index=True)),
                ("sandbox", models.BooleanField()),
                ("status", models.CharField(default="active", max_length=9)),
                ("notify_url", models.CharField(max_length=2048, null=True)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "identity_api_client",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["active", "suspended"])),
                        name="identity_api_client_status",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("client_ref__startswith", "SANDBOX_"), ("sandbox", True)),
                            models.Q(
                                ("sandbox", False),
                                models.Q(("client_ref__startswith", "SANDBOX_"), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="identity_api_client_sandbox",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PlatformKey",
            fields=[
                ("version", models.IntegerField(primary_key=True, serialize=False)),
                ("sealed_private_key", models.BinaryField()),
                ("public_key", models.BinaryField()),
                ("active", models.BooleanField()),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "identity_platform_key",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("active", True)),
                        fields=("active",),
                        name="identity_platform_key_one_active",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("version__gte", 1)), name="identity_platform_key_version"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Person",
            fields=[
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",  # noqa: E501
                        verbose_name="superuser status",
                    ),
                ),
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("login", models.CharField(max_length=64, unique=True)),
                ("display_name", models.CharField(max_length=64)),
                ("role", models.CharField(max_length=16)),
                ("merchant_id", models.UUIDField(db_index=True, null=True)),
                ("office_id", models.UUIDField(db_index=True, null=True)),
                ("is_active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField()),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",  # noqa: E501
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
            options={
                "db_table": "identity_person",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "role__in",
                                [
                                    "traveller",
                                    "cashier",
                                    "manager",
                                    "owner",
                                    "accountant",
                                    "officer",
                                    "operator",
                                ],
                            )
                        ),
                        name="identity_person_role",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("merchant_id__isnull", False),
                                ("office_id__isnull", True),
                                ("role__in", ["accountant", "cashier", "manager", "owner"]),
                            ),
                            models.Q(
                                ("merchant_id__isnull", True),
                                ("office_id__isnull", False),
                                ("role__in", ["officer"]),
                            ),
                            models.Q(
                                ("merchant_id__isnull", True),
                                ("office_id__isnull", True),
                                models.Q(
                                    ("role__in", ["accountant", "cashier", "manager", "owner", "officer"]),
                                    _negated=True,
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="identity_person_place",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ApiClientKey",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("version", models.IntegerField()),
                ("public_key", models.BinaryField()),
                ("created_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(null=True)),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="keys",
                        to="identity.apiclient",
                    ),
                ),
            ],
            options={
                "db_table": "identity_api_client_key",
                "constraints": [
                    models.UniqueConstraint(fields=("client", "version"), name="identity_api_client_key_one"),
                    models.CheckConstraint(
                        condition=models.Q(("version__gte", 1)), name="identity_api_client_key_version"
                    ),
                ],
            },
        ),
    ]
