"""One wide core table for every kind of ticket; each practice adds a 1:1 detail table where it needs one."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

OPEN = Q(done_at__isnull=True)
WAITS = OPEN & Q(state="waiting")


class Category(models.Model):
    """What a ticket is about, as a tree."""

    name = models.CharField(max_length=80)
    slug = models.SlugField(max_length=60, unique=True)
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children")
    is_active = models.BooleanField(default=True)


class Ticket(models.Model):
    """An incident or a request. Its number is its key; "open" is spelled `done_at IS NULL` everywhere.

    `queue_rank` and `queue_at` order the queue (`rules.queue_place`); `next_due_at` is the nearest promise; `asked_at` is since when
    the requester waits for an answer; `closing_at` and `waiting_until` are deadlines of the engine.
    """

    kind = models.CharField(max_length=12)
    title = models.CharField(max_length=200)
    description = models.TextField(default="", blank=True)
    state = models.CharField(max_length=12)
    waiting_on = models.CharField(max_length=10, default="", blank=True)
    waiting_until = models.DateTimeField(null=True)
    impact = models.PositiveSmallIntegerField()
    urgency = models.PositiveSmallIntegerField()
    priority = models.PositiveSmallIntegerField()
    priority_reason = models.CharField(max_length=200, default="", blank=True)  # set when overridden by hand
    queue_rank = models.PositiveSmallIntegerField()
    queue_at = models.DateTimeField()
    service = models.ForeignKey("services.ConfigurationItem", models.PROTECT, null=True, related_name="+", db_index=False)
    item = models.ForeignKey("services.ConfigurationItem", models.PROTECT, null=True, related_name="+", db_index=False)
    category = models.ForeignKey(Category, models.PROTECT, null=True, related_name="+", db_index=False)
    team = models.ForeignKey("people.Team", models.PROTECT, null=True, related_name="+", db_index=False)
    assignee = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+", db_index=False)
    requester = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+", db_index=False)
    reporter = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+", db_index=False)
    organization = models.ForeignKey("people.Organization", models.PROTECT, null=True, related_name="+", db_index=False)
    channel = models.CharField(max_length=12)
    occurred_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    asked_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    first_response_at = models.DateTimeField(null=True)
    restored_at = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    closing_at = models.DateTimeField(null=True)
    next_due_at = models.DateTimeField(null=True)
    next_metric = models.CharField(max_length=16, default="", blank=True)  # of the promise that is due next, or that is paused
    next_started_at = models.DateTimeField(null=True)
    resolution_code = models.CharField(max_length=20, default="", blank=True)
    resolution = models.TextField(default="", blank=True)
    is_major = models.BooleanField(default=False)
    is_restricted = models.BooleanField(default=False)
    reopened_count = models.PositiveSmallIntegerField(default=0)
    handover_count = models.PositiveSmallIntegerField(default=0)
    return_count = models.PositiveSmallIntegerField(default=0)  # hand-overs to a team that had it before
    escalation_level = models.PositiveSmallIntegerField(default=0)  # how far up the manager chain it went
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, related_name="merged", db_index=False)
    rating = models.PositiveSmallIntegerField(null=True)
    rating_comment = models.CharField(max_length=1000, default="", blank=True)
    custom = models.JSONField(default=dict)
    external_source = models.CharField(max_length=40, default="", blank=True)
    external_ref = models.CharField(max_length=120, default="", blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["external_source", "external_ref"], condition=~Q(external_ref=""), name="ticket_external_once"
            ),
            models.CheckConstraint(condition=Q(priority__range=(1, 5)), name="ticket_priority_1_to_5"),
            models.CheckConstraint(condition=Q(closed_at__isnull=True) | Q(done_at__isnull=False), name="ticket_closed_is_done"),
        ]
        indexes = [
            models.Index(fields=["queue_rank", "queue_at", "id"], condition=OPEN, name="queue_all"),
            models.Index(fields=["team", "queue_rank", "queue_at", "id"], condition=OPEN, name="queue_team"),
            models.Index(fields=["assignee", "queue_rank", "queue_at", "id"], condition=OPEN, name="queue_assignee"),
            models.Index(fields=["organization", "queue_rank", "queue_at", "id"], condition=OPEN, name="queue_organization"),
            models.Index(fields=["service", "queue_rank", "queue_at", "id"], condition=OPEN, name="queue_service"),
            models.Index(
                fields=["team", "queue_rank", "queue_at"],
                condition=OPEN & Q(assignee__isnull=True),
                name="queue_unassigned",
            ),
            models.Index(fields=["team", "queue_rank", "queue_at", "id"], condition=WAITS, name="queue_waiting_team"),
            models.Index(fields=["assignee", "queue_rank", "queue_at", "id"], condition=WAITS, name="queue_waiting_assignee"),
            models.Index(fields=["-updated_at", "-id"], condition=OPEN, name="queue_recent"),
            models.Index(fields=["requester", "-id"], name="ticket_requester"),
            models.Index(fields=["team", "-id"], name="ticket_team"),
            models.Index(fields=["service", "-id"], name="ticket_service"),
            models.Index(fields=["organization", "-id"], name="ticket_organization"),
            models.Index(fields=["closing_at"], condition=Q(closing_at__isnull=False), name="ticket_closing"),
            models.Index(fields=["waiting_until"], condition=Q(waiting_until__isnull=False), name="ticket_waiting_until"),
            models.Index(fields=["merged_into"], condition=Q(merged_into__isnull=False), name="ticket_merged"),
        ]


class Comment(models.Model):
    """A public reply or an internal note, in Markdown. `is_auto`: written by a program; never a first response."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="comments", db_index=False)
    author = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+", db_index=False)
    is_public = models.BooleanField()
    is_auto = models.BooleanField(default=False)
    body = models.TextField()
    channel = models.CharField(max_length=12)
    created_at = models.DateTimeField()
    message_id = models.CharField(max_length=250, default="", blank=True)
    moved_from = models.ForeignKey(Ticket, models.CASCADE, null=True, related_name="+", db_index=False)  # by a merge

    class Meta:
        indexes = [models.Index(fields=["ticket", "created_at", "id"], name="comment_of_ticket")]


class Attachment(models.Model):
    """A file, kept under a random name outside any web root and only ever served as a download.

    `sha256` is hexadecimal; `size` in bytes. Without `ticket` it is an upload not yet sent (`uploaded_by` alone sees it).
    """

    ticket = models.ForeignKey(Ticket, models.CASCADE, null=True, related_name="attachments", db_index=False)
    comment = models.ForeignKey(Comment, models.CASCADE, null=True, related_name="attachments", db_index=False)
    token = models.CharField(max_length=43, unique=True)  # in its address: 256 random bits
    name = models.CharField(max_length=200)
    stored_as = models.CharField(max_length=100)
    content_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    is_public = models.BooleanField(default=True)
    uploaded_by = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+", db_index=False)
    uploaded_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["ticket", "id"], name="attachment_of_ticket"),
            models.Index(fields=["uploaded_at"], condition=Q(ticket__isnull=True), name="attachment_unsent"),
        ]


class Watcher(models.Model):
    """A person who is told about a ticket, and why (`rules.WatcherKind`)."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="watchers", db_index=False)
    person = models.ForeignKey("people.Person", models.CASCADE, related_name="watching", db_index=False)
    kind = models.CharField(max_length=12)
    since = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket", "person", "kind"], name="watcher_once")]
        indexes = [models.Index(fields=["person", "kind", "ticket"], name="watcher_person")]


class Tag(models.Model):
    """A word put on tickets."""

    name = models.CharField(max_length=40, unique=True)


class TicketTag(models.Model):
    """A tag on a ticket."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="tag_rows", db_index=False)
    tag = models.ForeignKey(Tag, models.CASCADE, related_name="+", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket", "tag"], name="tag_once")]
        indexes = [models.Index(fields=["tag", "ticket"], name="tag_tickets")]


class Link(models.Model):
    """Two tickets belong together: "<source> is <kind> <target>"."""

    source = models.ForeignKey(Ticket, models.CASCADE, related_name="links_out", db_index=False)
    target = models.ForeignKey(Ticket, models.CASCADE, related_name="links_in", db_index=False)
    kind = models.CharField(max_length=15)
    created_by = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "target", "kind"], name="link_once"),
            models.UniqueConstraint(fields=["source"], condition=Q(kind="child_of"), name="one_parent"),
            models.CheckConstraint(condition=~Q(source=F("target")), name="no_link_to_itself"),
        ]
        indexes = [models.Index(fields=["target", "kind"], name="link_target")]


class CustomField(models.Model):
    """A field an organization adds to tickets of a kind; values stand in `Ticket.custom` under `key`."""

    KINDS = [
        ("text", "Text"),
        ("number", "Number"),
        ("date", "Date"),
        ("boolean", "Yes or no"),
        ("choice", "One of a list"),
    ]

    key = models.SlugField(max_length=40, unique=True)
    label = models.CharField(max_length=80)
    kind = models.CharField(max_length=10, choices=KINDS, default="text")
    choices = models.JSONField(default=list)
    ticket_kind = models.CharField(max_length=12, default="", blank=True)  # "" = all kinds
    hint = models.CharField(max_length=200, default="", blank=True)
    is_required = models.BooleanField(default=False)
    is_in_portal = models.BooleanField(default=False)
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)


class Draft(models.Model):
    """What somebody was writing: `place` is "reply", "note" or "new"; kept until sent or thrown away."""

    person = models.ForeignKey("people.Person", models.CASCADE, related_name="+", db_index=False)
    ticket = models.ForeignKey(Ticket, models.CASCADE, null=True, related_name="+", db_index=False)
    place = models.CharField(max_length=10)
    content = models.JSONField(default=dict)
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "ticket", "place"], condition=Q(ticket__isnull=False), name="draft_once"),
            models.UniqueConstraint(fields=["person", "place"], condition=Q(ticket__isnull=True), name="draft_new_once"),
        ]


class SavedView(models.Model):
    """A named filter of the queue: of a person, of a team, or (neither) for all agents."""

    name = models.CharField(max_length=60)
    slug = models.SlugField(max_length=60, unique=True)
    person = models.ForeignKey("people.Person", models.CASCADE, null=True, related_name="views")
    team = models.ForeignKey("people.Team", models.CASCADE, null=True, related_name="views")
    filters = models.JSONField(default=dict)
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)


class Label(models.Model):
    """The installation's own word for a state, category or code in one language: subject "state.waiting", language "de"."""

    subject = models.CharField(max_length=80)
    language = models.CharField(max_length=12)
    text = models.CharField(max_length=80)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject", "language"], name="label_once")]


class Presence(models.Model):
    """Somebody has a ticket open, or is writing: seen within the last seconds."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="+", db_index=False)
    person = models.ForeignKey("people.Person", models.CASCADE, related_name="+", db_index=False)
    seen_at = models.DateTimeField()
    writing = models.CharField(max_length=6, default="", blank=True)  # "", reply, note

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket", "person"], name="presence_once")]
        indexes = [models.Index(fields=["seen_at"], name="presence_age")]
