"""History brought in from elsewhere."""

from __future__ import annotations

from django.db import models


class ImportRun(models.Model):
    """One import of one file with one mapping, resumable: `position` is the number of rows done."""

    source = models.CharField(max_length=40)
    file_sha256 = models.CharField(max_length=64)
    mapping_sha256 = models.CharField(max_length=64)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    position = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict)


class ImportedEntry(models.Model):
    """Which rows of a source became journal entries, so that a second import changes nothing. `digest` names the row's content."""

    source = models.CharField(max_length=40)
    digest = models.CharField(max_length=40)
    entry = models.ForeignKey("journal.Entry", models.CASCADE, null=True, related_name="+", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "digest"], name="imported_once")]
