"""Notices and their delivery: the outbox is a table, written in the transaction of the fact. And how people are reached by pages."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from . import rules
from .rules.templates import MailKind


class Delivery(models.Model):
    """One notice to one recipient by one channel. Claimed under a lease, sent, then settled: never lost, seldom twice.

    `key` stays the same over retries (Message-ID, webhook-id). `content` is the notice: {"topic", "subject", …}; its words are
    made when it is sent, in the recipient's language. An `app` delivery is settled at birth and has `read_at`.
    Notices told in one mail point at its first by `bundled_in`: they fare as that one does.
    """

    CHANNELS = [("app", "app"), ("email", "email"), ("webhook", "webhook")]

    channel = models.CharField(max_length=10, choices=CHANNELS)
    topic = models.CharField(max_length=30)
    person = models.ForeignKey("people.Person", models.CASCADE, null=True, related_name="deliveries")
    address = models.CharField(max_length=500, default="")
    webhook = models.ForeignKey("notifications.Webhook", models.CASCADE, null=True, related_name="deliveries")
    ticket = models.ForeignKey("tickets.Ticket", models.CASCADE, null=True, related_name="+", db_index=False)
    entry = models.ForeignKey("journal.Entry", models.PROTECT, null=True, related_name="+", db_index=False)
    content = models.JSONField(default=dict)
    key = models.CharField(max_length=120, unique=True)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    lease = models.BigIntegerField(default=0)  # fencing number: only the holder of the newest lease may settle
    claimed_until = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=12, default="")  # sent, failed, moot, bundled, unwanted
    read_at = models.DateTimeField(null=True)
    bundled_in = models.ForeignKey("self", models.CASCADE, null=True, related_name="bundled", db_index=False)

    class Meta:
        indexes = [
            models.Index(fields=["channel", "due_at"], condition=Q(settled_at__isnull=True), name="delivery_pending"),
            models.Index(fields=["person"], condition=Q(channel="email", settled_at__isnull=True), name="delivery_to_mail"),
            models.Index(fields=["bundled_in"], condition=Q(bundled_in__isnull=False), name="delivery_bundle"),
            models.Index(fields=["person", "-id"], condition=Q(channel="app"), name="delivery_inbox"),
            models.Index(fields=["person"], condition=Q(channel="app", read_at__isnull=True), name="delivery_unread"),
            models.Index(fields=["webhook", "-id"], condition=Q(webhook__isnull=False), name="delivery_webhook"),
            models.Index(fields=["ticket", "id"], condition=Q(ticket__isnull=False), name="delivery_of_ticket"),
        ]


class Attempt(models.Model):
    """One try to send a delivery, and what came back."""

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="tries")
    channel = models.CharField(max_length=10)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    outcome = models.CharField(max_length=12)  # sent, retry, failed
    detail = models.CharField(max_length=500, default="")
    status = models.PositiveSmallIntegerField(null=True)  # what an HTTP or SMTP server answered

    class Meta:
        indexes = [models.Index(fields=["channel", "-id"], name="attempt_of_channel")]


class Preference(models.Model):
    """Whether a person wants a topic by a channel; what is not said follows `rules.DEFAULTS`."""

    person = models.ForeignKey("people.Person", models.CASCADE, related_name="preferences")
    topic = models.CharField(max_length=30)
    channel = models.CharField(max_length=10)
    is_wanted = models.BooleanField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "topic", "channel"], name="preference_once")]


class Webhook(models.Model):
    """An address of another program that is told of journal verbs, signed as Standard Webhooks says.

    `secret` is encrypted. Only tickets `owner` may see are told.
    """

    name = models.CharField(max_length=80)
    url = models.CharField(max_length=500)
    secret = models.TextField()
    old_secret = models.TextField(default="")  # signs as well while the receiver changes over
    old_secret_until = models.DateTimeField(null=True)
    verbs = models.JSONField(default=list)  # journal verbs; empty: all
    owner = models.ForeignKey("people.Person", models.PROTECT, related_name="webhooks")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    failing_since = models.DateTimeField(null=True)
    disabled_reason = models.CharField(max_length=200, default="")


class MailTemplate(models.Model):
    """The words of one kind of mail to those who asked, in one language: of an organization and those below it, or of all."""

    KINDS = [(kind.value, kind.value) for kind in MailKind]

    organization = models.ForeignKey("people.Organization", models.CASCADE, null=True, related_name="mail_templates")
    locale = models.CharField(max_length=12)
    kind = models.CharField(max_length=12, choices=KINDS)
    subject = models.CharField(max_length=200)
    text = models.TextField()
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "locale", "organization"], name="mail_template_once"),
            models.UniqueConstraint(
                fields=["kind", "locale"], condition=Q(organization__isnull=True), name="mail_template_once_for_all"
            ),
        ]


class ContactMethod(models.Model):
    """A way to reach a person, or a team's room, by pages. Nothing but its own codes goes there before it is verified.

    `address` is sealed where knowing it is enough to write there (`rules.SECRET`), plain for mail addresses and telephone numbers.
    `shown` is what screens may show of it.
    """

    KINDS = [(way.value, way.value) for way in rules.ADDED]

    person = models.ForeignKey("people.Person", models.CASCADE, null=True, related_name="contacts")
    team = models.ForeignKey("people.Team", models.CASCADE, null=True, related_name="rooms")
    kind = models.CharField(max_length=10, choices=KINDS)
    address = models.TextField()
    shown = models.CharField(max_length=120)
    label = models.CharField(max_length=80, default="")
    flavor = models.CharField(max_length=40, default="")  # of a chat: its program; of a browser: the key it subscribed with
    created_at = models.DateTimeField()
    verified_at = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)
    last_sent_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(person__isnull=False, team__isnull=True) | Q(person__isnull=True, team__isnull=False),
                name="contact_of_one",
            )
        ]
        indexes = [
            models.Index(
                fields=["address"], condition=Q(kind__in=["sms", "voice"], removed_at__isnull=True), name="contact_number"
            )
        ]


class ContactRule(models.Model):
    """Pages of this urgency go to this contact so long after their first instant. No contact: the primary e-mail address."""

    person = models.ForeignKey("people.Person", models.CASCADE, related_name="contact_rules")
    urgency = models.CharField(max_length=8, choices=[(urgency.value, urgency.value) for urgency in rules.Urgency])
    contact = models.ForeignKey(ContactMethod, models.CASCADE, null=True, related_name="rules")
    after = models.PositiveIntegerField(default=0)  # seconds
    position = models.PositiveSmallIntegerField(default=0)


class PagingHours(models.Model):
    """When a person is left in peace by normal pages: minutes of the day in their own zone."""

    person = models.OneToOneField("people.Person", models.CASCADE, related_name="paging_hours")
    quiet_from = models.PositiveSmallIntegerField()
    quiet_until = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quiet_from__lt=1440, quiet_until__lt=1440) & ~Q(quiet_from=models.F("quiet_until")),
                name="quiet_hours_fit",
            )
        ]


class ContactMessage(models.Model):
    """A message that shows whether a contact works: a code to be typed in, or a test. Sent under a lease, as every delivery is.

    `code` is sealed and forgotten once it was sent; `digest` is what a guess is compared with. No contact: a test to the primary
    e-mail address of who asked.
    """

    PURPOSES = [("code", "code"), ("test", "test")]

    contact = models.ForeignKey(ContactMethod, models.CASCADE, null=True, related_name="messages")
    asked_by = models.ForeignKey("people.Person", models.CASCADE, related_name="+")
    purpose = models.CharField(max_length=5, choices=PURPOSES)
    code = models.TextField(default="")
    digest = models.CharField(max_length=64, default="")
    guesses = models.PositiveSmallIntegerField(default=0)
    key = models.CharField(max_length=120, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    lease = models.BigIntegerField(default=0)
    claimed_until = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=12, default="")
    detail = models.CharField(max_length=500, default="")

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], condition=Q(settled_at__isnull=True), name="contact_message_due"),
            models.Index(fields=["asked_by", "created_at"], name="contact_message_asked"),
        ]


class PushKey(models.Model):
    """A key this installation proves itself with to push services; the one with the highest number is in use. `private` is sealed.

    Another is made only when the one before can no longer be opened: then all browsers have to ask for pages again.
    """

    number = models.PositiveIntegerField(unique=True)
    public = models.CharField(max_length=100)
    private = models.TextField()
    created_at = models.DateTimeField()
