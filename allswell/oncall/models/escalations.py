"""Escalation policies, the runs that follow them, and the pages that come of these, with everything that became of each."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class EscalationPolicy(models.Model):
    """Whom to call in which order when something happens. `number` is that of the newest version."""

    name = models.CharField(max_length=80)
    slug = models.SlugField(max_length=60, unique=True)
    team = models.ForeignKey("people.Team", models.PROTECT, related_name="+")
    number = models.PositiveIntegerField(default=0)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()


class PolicyVersion(models.Model):
    """What a policy says since `created_at`, until a version with a greater number says otherwise. Never changed.

    `definition` is `rules.policies.Policy` as JSON.
    """

    policy = models.ForeignKey(EscalationPolicy, models.CASCADE, related_name="versions", db_index=False)
    number = models.PositiveIntegerField()
    definition = models.JSONField()
    note = models.CharField(max_length=200, default="", blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["policy", "number"], name="policy_version_once")]


class PolicyUse(models.Model):
    """A policy is that of a service, or what a team's tickets follow when their service has none of its own."""

    policy = models.ForeignKey(EscalationPolicy, models.CASCADE, related_name="uses")
    service = models.OneToOneField("services.ConfigurationItem", models.CASCADE, null=True, related_name="+")
    team = models.OneToOneField("people.Team", models.CASCADE, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(service__isnull=False, team=None) | Q(service=None, team__isnull=False), name="policy_use_of_one"
            )
        ]


class Escalation(models.Model):
    """A run: the policy as it was when the run began (`definition`), and how far it has come.

    `next_step_at` is its only timer: when the next step is due, or, once acknowledged, when the promise is over.
    """

    ticket = models.ForeignKey("tickets.Ticket", models.CASCADE, related_name="+", db_index=False)
    policy = models.ForeignKey(EscalationPolicy, models.PROTECT, null=True, related_name="+", db_index=False)
    number = models.PositiveIntegerField(default=0)
    definition = models.JSONField()
    cause = models.CharField(max_length=12)  # opened, handed_over, reopened, raised, by_hand
    reason = models.CharField(max_length=500, default="", blank=True)
    started_at = models.DateTimeField()
    started_by = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+", db_index=False)
    state = models.CharField(max_length=12, default="running")
    position = models.PositiveSmallIntegerField(default=0)
    round = models.PositiveSmallIntegerField(default=0)
    turn = models.PositiveSmallIntegerField(default=0)
    has_reached = models.BooleanField(default=False)
    next_step_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+", db_index=False)
    acknowledged_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=12, default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["ticket", "policy"], condition=Q(ended_at=None, policy__isnull=False), name="escalation_once"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["running", "acknowledged"], ended_at=None, next_step_at__isnull=False)
                | Q(state__in=["ended", "exhausted"], ended_at__isnull=False, next_step_at=None),
                name="escalation_open_or_ended",
            ),
        ]
        indexes = [
            models.Index(fields=["next_step_at"], condition=Q(next_step_at__isnull=False), name="escalation_due"),
            models.Index(fields=["ticket", "-id"], name="escalation_of_ticket"),
            models.Index(fields=["-ended_at"], condition=Q(state="exhausted"), name="escalation_unanswered"),
            models.Index(fields=["policy", "-started_at"], condition=Q(policy__isnull=False), name="escalation_of_policy"),
        ]


class Page(models.Model):
    """A call to one person, or to a room of a team: `turn` of a run says at which step, `why` is the target that named them.

    A page without a run says by its `cause` what it is about (`rules.escalating.PageCause`), and who asked for it; one of a shift
    that nobody has taken names the handover.
    """

    escalation = models.ForeignKey(Escalation, models.CASCADE, null=True, related_name="pages", db_index=False)
    ticket = models.ForeignKey("tickets.Ticket", models.CASCADE, null=True, related_name="+", db_index=False)
    person = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+", db_index=False)
    room = models.ForeignKey("notifications.ContactMethod", models.PROTECT, null=True, related_name="+", db_index=False)
    handover = models.ForeignKey("oncall.Handover", models.CASCADE, null=True, related_name="+", db_index=False)
    turn = models.PositiveSmallIntegerField(default=0)
    urgency = models.CharField(max_length=8)
    why = models.JSONField(default=dict)
    cause = models.CharField(max_length=12, default="", db_default="", blank=True)  # of a page without a run
    asked_by = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField()
    late_by = models.PositiveIntegerField(default=0)  # seconds after it was due, when nothing was watching
    opened_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)  # nothing more is sent of it

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["escalation", "turn", "person"], condition=Q(person__isnull=False), name="page_once_a_person"
            ),
            models.UniqueConstraint(
                fields=["escalation", "turn", "room"], condition=Q(room__isnull=False), name="page_once_a_room"
            ),
        ]
        indexes = [
            models.Index(fields=["person", "-id"], condition=Q(person__isnull=False), name="page_of_person"),
            models.Index(fields=["person"], condition=Q(person__isnull=False, closed_at=None), name="page_open"),
            models.Index(fields=["asked_by", "created_at"], condition=Q(asked_by__isnull=False), name="page_asked_by"),
            models.Index(fields=["ticket", "id"], condition=Q(ticket__isnull=False), name="page_of_ticket"),
            models.Index(fields=["handover", "id"], condition=Q(handover__isnull=False), name="page_of_handover"),
        ]


class PageDelivery(models.Model):
    """A page by one way. Claimed under a lease, sent, then settled; `key` stays the same over retries and engines.

    `contact` null by e-mail is the person's primary address. Those told in one message point at its first by `bundled_in`.
    """

    page = models.ForeignKey(Page, models.CASCADE, related_name="deliveries")
    contact = models.ForeignKey("notifications.ContactMethod", models.PROTECT, null=True, related_name="+", db_index=False)
    channel = models.CharField(max_length=10)
    destination = models.CharField(max_length=24)  # the same for all that reach one device or mailbox
    key = models.CharField(max_length=80, unique=True)
    due_at = models.DateTimeField()
    planned_at = models.DateTimeField()  # as its person's rules say; due_at moves with retries, and when another way fails
    attempts = models.PositiveSmallIntegerField(default=0)
    lease = models.PositiveIntegerField(default=0)
    claimed_until = models.DateTimeField(null=True)
    is_maybe_twice = models.BooleanField(default=False)
    settled_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=8, default="", blank=True)  # sent, failed, moot, bundled
    reference = models.CharField(max_length=120, default="", blank=True)
    receipt = models.CharField(max_length=12, default="", blank=True)  # delivered, undelivered
    receipt_at = models.DateTimeField(null=True)
    bundled_in = models.ForeignKey("self", models.CASCADE, null=True, related_name="bundled", db_index=False)

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], condition=Q(settled_at=None), name="page_delivery_due"),
            models.Index(fields=["destination", "-settled_at"], condition=Q(outcome="sent"), name="page_delivery_sent"),
        ]


class PageEvent(models.Model):
    """The ledger of a page: what was planned, tried, answered, seen. Rows are only added."""

    page = models.ForeignKey(Page, models.CASCADE, related_name="events")
    delivery = models.ForeignKey(PageDelivery, models.CASCADE, null=True, related_name="+", db_index=False)
    happened_at = models.DateTimeField()
    kind = models.CharField(max_length=12)  # planned, attempted, sent, failed, moot, bundled, receipt, opened, acknowledged, …
    detail = models.CharField(max_length=300, default="", blank=True)
    status = models.PositiveSmallIntegerField(null=True)
