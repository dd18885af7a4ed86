"""Tables of rates and quotes. Rows are only ever added (triggers of migration 0002)."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from comptoir.fx.rules import MAX_MARGIN_BPS


class ReferenceRate(models.Model):
    """What one euro was worth in a currency on a day, and who said so."""

    pk = models.CompositePrimaryKey("rate_on", "currency")
    rate_on = models.DateField()
    currency = models.CharField(max_length=3)
    per_euro = models.DecimalField(max_digits=24, decimal_places=10)
    source = models.CharField(max_length=64)
    fetched_at = models.DateTimeField()

    class Meta:
        db_table = "fx_reference_rate"
        constraints = [
            models.CheckConstraint(name="fx_reference_rate_positive", condition=Q(per_euro__gt=0)),
            models.CheckConstraint(
                name="fx_reference_rate_currency", condition=Q(currency__regex="^[A-Z]{3}$")
            ),
        ]
        indexes = [models.Index(fields=["currency", "-rate_on"], name="fx_reference_rate_latest")]


class Quote(models.Model):
    """A promised price. The owner (merchant or operator) leads its key: the later shard key."""

    pk = models.CompositePrimaryKey("owner_id", "id")
    owner_id = models.UUIDField()
    id = models.UUIDField()
    base = models.CharField(max_length=3)
    quote = models.CharField(max_length=3)
    mid = models.DecimalField(max_digits=38, decimal_places=20)
    price = models.DecimalField(max_digits=38, decimal_places=20)
    margin_bps = models.IntegerField()
    rate_on = models.DateField()
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    guaranteed = models.BooleanField()

    class Meta:
        db_table = "fx_quote"
        constraints = [
            models.CheckConstraint(name="fx_quote_mid", condition=Q(mid__gt=0)),
            models.CheckConstraint(name="fx_quote_price", condition=Q(price__gte=F("mid"))),
            models.CheckConstraint(
                name="fx_quote_margin", condition=Q(margin_bps__gte=0, margin_bps__lte=MAX_MARGIN_BPS)
            ),
            models.CheckConstraint(name="fx_quote_expiry", condition=Q(expires_at__gt=F("created_at"))),
        ]
        # Whoever holds only a quote's id (a payment, a wire message) finds it by this.
        indexes = [models.Index(fields=["id"], name="fx_quote_id")]
