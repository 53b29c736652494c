"""Services and the items they run on."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class ConfigurationItem(models.Model):
    """A service as the business says it, a technical service below it, or (later) what they run on.

    `criticality` is 1 (highest) to 4 and gives the default impact of an incident.
    """

    KINDS = [("business_service", "Business service"), ("technical_service", "Technical service")]

    kind = models.CharField(max_length=20, choices=KINDS, default="business_service")
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    description = models.TextField(default="", blank=True)
    owner = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+")
    team = models.ForeignKey("people.Team", models.PROTECT, null=True, related_name="services")
    organization = models.ForeignKey("people.Organization", models.PROTECT, null=True, related_name="services")
    criticality = models.PositiveSmallIntegerField(default=3)
    support_hours = models.CharField(max_length=200, default="", blank=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(criticality__in=[1, 2, 3, 4]), name="criticality_1_to_4")]


class Dependency(models.Model):
    """`downstream` needs `upstream`: when upstream fails, downstream suffers."""

    upstream = models.ForeignKey(ConfigurationItem, models.CASCADE, related_name="needed_by")
    downstream = models.ForeignKey(ConfigurationItem, models.CASCADE, related_name="needs")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["upstream", "downstream"], name="dependency_once"),
            models.CheckConstraint(condition=~Q(upstream=F("downstream")), name="no_dependency_on_itself"),
        ]
