"""What monitoring tells: who may, what they said word for word, the alerts that come of it, and what the desk does about them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class AlertSource(models.Model):
    """A monitoring tool that may report. It shows a key, of which only the digest is kept; a former key serves for a while.

    `secret` (sealed) is what the sender signs with, where its format knows that. `mapping` says how to read its bodies, where
    the format is told that (`kind` "generic"). An alert of which nothing is told for `ends_after` hours ends by itself; None: never.
    """

    name = models.CharField(max_length=80)
    slug = models.SlugField(max_length=60, unique=True)
    kind = models.CharField(max_length=20)
    key_digest = models.CharField(max_length=64, unique=True)
    key_hint = models.CharField(max_length=8)
    former_digest = models.CharField(max_length=64, default="", blank=True)
    former_until = models.DateTimeField(null=True)
    secret = models.TextField(default="", blank=True)
    mapping = models.JSONField(default=dict)
    service = models.ForeignKey("services.ConfigurationItem", models.PROTECT, null=True, related_name="+", db_index=False)
    team = models.ForeignKey("people.Team", models.PROTECT, null=True, related_name="+", db_index=False)
    ends_after = models.PositiveIntegerField(null=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+", db_index=False)
    last_seen_at = models.DateTimeField(null=True)
    seen_count = models.BigIntegerField(default=0)
    recent = models.JSONField(default=dict)  # minutes since 1970 -> reports in it, of the last hour (rules.recent)
    refused_at = models.DateTimeField(null=True)
    refusal = models.CharField(max_length=200, default="", blank=True)

    class Meta:
        indexes = [models.Index(fields=["former_digest"], name="alert_source_former", condition=~Q(former_digest=""))]


class RawReport(models.Model):
    """A request of a source, word for word, kept before it is answered. It waits until `handled_at`.

    `head` holds method, path, query and the headers that matter. `nonce` is what made-up keys of this request come from.
    `error` says why it could not be read; such a one is kept until somebody looks.
    """

    source = models.ForeignKey(AlertSource, models.CASCADE, related_name="+", db_index=False)
    received_at = models.DateTimeField()
    head = models.JSONField()
    body = models.BinaryField()
    nonce = models.CharField(max_length=32)
    handled_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, default="", blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["id"], name="raw_report_waiting", condition=Q(handled_at=None)),
            models.Index(fields=["handled_at"], name="raw_report_handled", condition=Q(handled_at__isnull=False)),
            models.Index(fields=["id"], name="raw_report_unread", condition=~Q(error="")),
        ]


class Alert(models.Model):
    """What a source says of one thing, by its own key: how it stands now, and how it came to that.

    `started_at` is when the present episode (the `episode`-th) began, by the sender's clock; `since_at` the newest beginning it
    told; `last_at` the instant of the newest report, `seen_at` when that reached us. `count` counts the reports of the episode,
    `total` all. `turns` are the instants at which it began or ended lately; too many, and it is flapping until `calm_at`.
    `case` names what belongs together in one incident. `told_by` is who told it last, where several tell of one group; `left_out_at`
    when messages that name all of its group began to leave it out; `stale_at` when it ends because nothing more was told of it.
    """

    source = models.ForeignKey(AlertSource, models.CASCADE, related_name="alerts", db_index=False)
    key = models.CharField(max_length=512)
    group = models.CharField(max_length=512, default="", blank=True)
    title = models.CharField(max_length=255)
    text = models.TextField(default="", blank=True)
    severity = models.CharField(max_length=10)
    labels = models.JSONField(default=dict)
    links = models.JSONField(default=list)
    state = models.CharField(max_length=10)
    episode = models.PositiveIntegerField(default=1)
    count = models.BigIntegerField(default=1)
    total = models.BigIntegerField(default=1)
    started_at = models.DateTimeField()
    since_at = models.DateTimeField()
    last_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=10, default="", blank=True)
    lease_until = models.DateTimeField(null=True)
    stale_at = models.DateTimeField(null=True)
    turns = models.JSONField(default=list)
    is_flapping = models.BooleanField(default=False)
    calm_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.CharField(max_length=120, default="", blank=True)
    told_by = models.CharField(max_length=32, default="", blank=True)
    left_out_at = models.DateTimeField(null=True)
    service = models.ForeignKey("services.ConfigurationItem", models.SET_NULL, null=True, related_name="+", db_index=False)
    ticket = models.ForeignKey("tickets.Ticket", models.SET_NULL, null=True, related_name="+", db_index=False)
    rule = models.ForeignKey("AlertRule", models.SET_NULL, null=True, related_name="+", db_index=False)
    silence = models.ForeignKey("Silence", models.SET_NULL, null=True, related_name="+", db_index=False)
    window = models.ForeignKey("MaintenanceWindow", models.SET_NULL, null=True, related_name="+", db_index=False)
    case = models.CharField(max_length=64, default="", blank=True)
    raw = models.BigIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "key"], name="alert_once")]
        indexes = [
            models.Index(fields=["-last_at", "-id"], name="alert_newest"),
            models.Index(fields=["-last_at", "-id"], name="alert_firing", condition=Q(state="firing")),
            models.Index(fields=["ticket", "-last_at"], name="alert_of_ticket", condition=Q(ticket__isnull=False)),
            models.Index(fields=["case", "-seen_at"], name="alert_case", condition=Q(ticket__isnull=False)),
            models.Index(fields=["source", "group"], name="alert_group", condition=Q(state="firing")),
            models.Index(fields=["lease_until"], name="alert_lease", condition=Q(state="firing", lease_until__isnull=False)),
            models.Index(fields=["stale_at"], name="alert_stale", condition=Q(state="firing", stale_at__isnull=False)),
            models.Index(fields=["calm_at"], name="alert_calm", condition=Q(calm_at__isnull=False)),
            models.Index(fields=["silence"], name="alert_silenced", condition=Q(silence__isnull=False)),
            models.Index(fields=["window"], name="alert_in_window", condition=Q(window__isnull=False)),
        ]


class AlertEpisode(models.Model):
    """One time that an alert fired, from its beginning to its end. `outcome`: what was done about it, as `operations.decided` says."""

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="episodes", db_index=False)
    number = models.PositiveIntegerField()
    severity = models.CharField(max_length=10)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=10, default="", blank=True)
    count = models.BigIntegerField(default=1)
    ticket = models.ForeignKey("tickets.Ticket", models.SET_NULL, null=True, related_name="+", db_index=False)
    outcome = models.CharField(max_length=12, default="", blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["alert", "number"], name="alert_episode_once")]
        indexes = [
            models.Index(fields=["started_at", "alert"], name="alert_episode_started"),
            models.Index(fields=["ticket"], name="alert_episode_ticket", condition=Q(ticket__isnull=False)),
        ]


class SystemChange(models.Model):
    """Something that was changed where we watch, as a source told it: a deployment, a setting. `happened_at` is by its clock."""

    source = models.ForeignKey(AlertSource, models.CASCADE, related_name="+", db_index=False)
    service = models.ForeignKey("services.ConfigurationItem", models.CASCADE, null=True, related_name="+", db_index=False)
    title = models.CharField(max_length=255)
    text = models.TextField(default="", blank=True)
    labels = models.JSONField(default=dict)
    links = models.JSONField(default=list)
    happened_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["service", "-happened_at"], name="system_change_of_service"),
            models.Index(fields=["source", "happened_at"], name="system_change_of_source"),
            models.Index(fields=["seen_at"], name="system_change_seen"),
        ]


class AlertRule(models.Model):
    """What is done about alerts that fit; the first one that fits, by `position`. `definition` is `rules.routing.Rule` as JSON."""

    name = models.CharField(max_length=80)
    position = models.PositiveIntegerField()
    definition = models.JSONField()
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    fits_count = models.BigIntegerField(default=0)
    last_fit_at = models.DateTimeField(null=True)


class Silence(models.Model):
    """For a while nobody is called for alerts that fit. It is about labels, a service, or the alerts of a ticket.

    `has_begun`: what fired when it began is held back, too.
    """

    matchers = models.JSONField(default=list)
    service = models.ForeignKey("services.ConfigurationItem", models.CASCADE, null=True, related_name="+", db_index=False)
    ticket = models.ForeignKey("tickets.Ticket", models.CASCADE, null=True, related_name="+")
    reason = models.CharField(max_length=300)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    created_at = models.DateTimeField()
    created_by = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+", db_index=False)
    has_begun = models.BooleanField(default=False)
    is_over = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["ends_at"], name="silence_open", condition=Q(is_over=False)),
            models.Index(fields=["starts_at"], name="silence_to_begin", condition=Q(has_begun=False, is_over=False)),
        ]


class MaintenanceWindow(models.Model):
    """Work that was announced on services: their alerts belong to it while it lasts, and call nobody.

    `has_begun`: what fired when it began is held back, too.
    """

    title = models.CharField(max_length=200)
    services = models.ManyToManyField("services.ConfigurationItem", related_name="+")
    matchers = models.JSONField(default=list)
    ticket = models.ForeignKey("tickets.Ticket", models.SET_NULL, null=True, related_name="+")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    created_at = models.DateTimeField()
    created_by = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+", db_index=False)
    has_begun = models.BooleanField(default=False)
    is_over = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["ends_at"], name="window_open", condition=Q(is_over=False)),
            models.Index(fields=["starts_at"], name="window_to_begin", condition=Q(has_begun=False, is_over=False)),
        ]


class Heartbeat(models.Model):
    """Something that must be heard of every `every` seconds; `grace` seconds after that it is missing, and an alert fires."""

    source = models.ForeignKey(AlertSource, models.CASCADE, related_name="heartbeats", db_index=False)
    name = models.CharField(max_length=120)
    every = models.PositiveIntegerField()
    grace = models.PositiveIntegerField(default=60)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    last_at = models.DateTimeField(null=True)
    missing_since = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "name"], name="alert_heartbeat_once")]
        indexes = [models.Index(fields=["due_at"], name="alert_heartbeat_due", condition=Q(due_at__isnull=False))]
