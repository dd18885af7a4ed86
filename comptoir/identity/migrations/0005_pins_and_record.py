"""PINs of people who work here, and the record of who did what, which is only added to."""

from __future__ import annotations

from django.db import migrations, models

APPEND_ONLY = """
CREATE FUNCTION identity_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the record of actions is append-only: % on % is refused', TG_OP, TG_TABLE_NAME;
END $$;
CREATE TRIGGER identity_audit_entry_append_only BEFORE UPDATE OR DELETE ON identity_audit_entry
    FOR EACH ROW EXECUTE FUNCTION identity_refuse();
CREATE TRIGGER identity_audit_entry_no_truncate BEFORE TRUNCATE ON identity_audit_entry
    EXECUTE FUNCTION identity_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("identity", "0004_staff"),
    ]

    operations = [
        migrations.CreateModel(
            name="PersonPin",
            fields=[
                ("person_id", models.UUIDField(primary_key=True, serialize=False)),
                ("sealed_hash", models.BinaryField()),
                ("failures", models.SmallIntegerField(default=0)),
                ("locked_until", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "identity_person_pin",
            },
        ),
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "owner_id", "id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("owner_id", models.UUIDField()),
                ("id", models.UUIDField()),
                ("person_id", models.UUIDField()),
                ("action", models.CharField(max_length=64)),
                ("subject_kind", models.CharField(default="", max_length=32)),
                ("subject_id", models.CharField(default="", max_length=64)),
                ("at", models.DateTimeField()),
                ("details", models.JSONField(default=dict)),
            ],
            options={
                "db_table": "identity_audit_entry",
                "indexes": [
                    models.Index(
                        fields=["owner_id", "subject_kind", "subject_id", "-id"],
                        name="identity_audit_subject",
                    ),
                    models.Index(fields=["owner_id", "person_id", "-id"], name="identity_audit_person"),
                ],
            },
        ),
        migrations.RunSQL(APPEND_ONLY, "DROP FUNCTION identity_refuse CASCADE"),
    ]
