"""Tables of risk: rule sets, counters, and the decision log."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from comptoir.risk.types import Action, Scope, Stage


class RiskRuleSet(models.Model):
    """A version of the rules, as it was activated. Never changed: the newest is in force."""

    version = models.IntegerField(primary_key=True)
    activated_at = models.DateTimeField()
    note = models.CharField(max_length=500)
    source = models.JSONField()
    counting = models.JSONField()

    class Meta:
        db_table = "risk_rule_set"
        constraints = [models.CheckConstraint(name="risk_rule_set_version", condition=Q(version__gte=1))]


class RiskCounter(models.Model):
    """What a subject paid in one bucket and currency. `amount` in minor units."""

    pk = models.CompositePrimaryKey("owner_id", "scope", "name", "grain", "bucket", "currency")
    owner_id = models.UUIDField()
    scope = models.CharField(max_length=8)
    name = models.CharField(max_length=160)
    grain = models.IntegerField()
    bucket = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    payments = models.IntegerField()
    amount = models.BigIntegerField()

    class Meta:
        db_table = "risk_counter"
        constraints = [
            models.CheckConstraint(
                name="risk_counter_scope", condition=Q(scope__in=[one.value for one in Scope])
            )
        ]
        # For forgetting. It never changes with a counter, so counting leaves it alone.
        indexes = [models.Index(fields=["grain", "bucket"], name="risk_counter_age")]


class RiskEntry(models.Model):
    """The decision log: what the rules said of a charge. `action` is empty for a sampled one that passed."""

    pk = models.CompositePrimaryKey("merchant_id", "id")
    merchant_id = models.UUIDField()
    id = models.UUIDField()
    payment_id = models.UUIDField()
    at = models.DateTimeField()
    version = models.IntegerField()
    stage = models.CharField(max_length=8)
    action = models.CharField(max_length=8)
    looked = models.JSONField()
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()
    issuer = models.CharField(max_length=32)
    wallet_id = models.UUIDField(null=True)
    device = models.IntegerField(null=True)
    till = models.CharField(max_length=160, null=True)

    class Meta:
        db_table = "risk_entry"
        constraints = [
            models.CheckConstraint(
                name="risk_entry_action", condition=Q(action__in=["", *(one.value for one in Action)])
            ),
            models.CheckConstraint(
                name="risk_entry_stage", condition=Q(stage__in=[one.value for one in Stage])
            ),
        ]
        indexes = [
            models.Index(fields=["at"], name="risk_entry_at"),
            models.Index(fields=["merchant_id", "payment_id"], name="risk_entry_payment"),
        ]
