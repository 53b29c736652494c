"""When leads are told that their services are not covered."""

from __future__ import annotations

from django.db import models


class CoverageNotice(models.Model):
    """A lead, and when the coverage of their services is looked at for them next."""

    person = models.OneToOneField("people.Person", models.CASCADE, primary_key=True, related_name="+")
    next_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["next_at"], name="coverage_notice_due")]
