"""Mail that reaches the desk: where it comes in, what came word for word and what became of it, and which ids belong to a ticket."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Mailbox(models.Model):
    """An address the desk takes mail at, and how mail gets from there to us.

    `connection` is of its kind: for IMAP {"host", "port", "security", "user", "folder", "done_folder"}; for the others {}. `secret`
    (sealed) is a password, an OAuth 2.0 refresh token, or what a provider signs its requests with; `key_digest` of a key in an address is
    the SHA-256. `authserv` is the server whose Authentication-Results are believed, as far as it stands among the last `hops` servers.
    A ticket from here gets `service`, `team`, `ticket_kind` unless a rule says otherwise; `organization` is that of new people.
    """

    name = models.CharField(max_length=80)
    address = models.CharField(max_length=254, unique=True)  # folded
    kind = models.CharField(max_length=10)  # rules.mailboxes.MailboxKind
    connection = models.JSONField(default=dict)
    secret = models.TextField(default="", blank=True)
    key_digest = models.CharField(max_length=64, default="", blank=True)
    key_hint = models.CharField(max_length=8, default="", blank=True)
    authserv = models.CharField(max_length=253, default="", blank=True)
    hops = models.PositiveSmallIntegerField(default=2)
    unknown_senders = models.CharField(max_length=10, default="create")  # rules.mailboxes.UnknownSenders
    organization = models.ForeignKey("people.Organization", models.PROTECT, null=True, related_name="+", db_index=False)
    service = models.ForeignKey("services.ConfigurationItem", models.PROTECT, null=True, related_name="+", db_index=False)
    team = models.ForeignKey("people.Team", models.PROTECT, null=True, related_name="+", db_index=False)
    ticket_kind = models.CharField(max_length=12, default="incident")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+", db_index=False)
    uid_validity = models.BigIntegerField(null=True)
    last_uid = models.BigIntegerField(default=0)
    looked_at = models.DateTimeField(null=True)  # when we last spoke with its server
    last_seen_at = models.DateTimeField(null=True)  # when mail last came
    failing_since = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=300, default="", blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key_digest"], condition=~Q(key_digest=""), name="mailbox_key_once")]


class InboundMessage(models.Model):
    """A mail that came in, and what became of it. Its bytes are in `MessageSource`; it waits while its state is "pending".

    `digest` is `rules.mailboxes.marks` of the bytes, `message_id` is without brackets, addresses folded, "" is the null path of programs.
    `mail_kind` and `is_certain` are what the classifier said; `authentication` what a trusted server found out. `folded` is what the
    conversation does not show at once: quoted text and signature. `trail` says step by step why it became what it became. `mark` is the
    same for mails that say the same but for their numbers, `content` only for the same mail; `decision` what a person decided about a
    mail that was held (`rules.mailboxes.Decision`).
    """

    mailbox = models.ForeignKey(Mailbox, models.SET_NULL, null=True, related_name="+", db_index=False)
    received_at = models.DateTimeField()
    size = models.PositiveBigIntegerField()
    digest = models.CharField(max_length=64)
    message_id = models.CharField(max_length=250, default="", blank=True)
    envelope_from = models.CharField(max_length=254, null=True)
    envelope_to = models.JSONField(default=list)
    state = models.CharField(max_length=12)  # rules.mailboxes.MessageState
    reason = models.CharField(max_length=40, default="", blank=True)  # a word: why it is held, ignored or in quarantine
    detail = models.CharField(max_length=300, default="", blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    handled_at = models.DateTimeField(null=True)
    sender = models.CharField(max_length=254, default="", blank=True)
    sender_name = models.CharField(max_length=120, default="", blank=True)
    subject = models.CharField(max_length=250, default="", blank=True)
    mail_kind = models.CharField(max_length=16, default="", blank=True)
    is_certain = models.BooleanField(default=False)
    authentication = models.JSONField(default=dict)
    trail = models.JSONField(default=list)
    folded = models.TextField(default="", blank=True)
    mark = models.CharField(max_length=32, default="", blank=True)
    content = models.CharField(max_length=32, default="", db_default="", blank=True)
    decision = models.JSONField(default=dict, blank=True)
    person = models.ForeignKey("people.Person", models.SET_NULL, null=True, related_name="+")
    ticket = models.ForeignKey("tickets.Ticket", models.SET_NULL, null=True, related_name="+", db_index=False)
    comment = models.ForeignKey("tickets.Comment", models.SET_NULL, null=True, related_name="+", db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["mailbox", "digest"], name="message_once"),
            models.UniqueConstraint(fields=["digest"], condition=Q(mailbox=None), name="message_once_without_mailbox"),
        ]
        indexes = [
            models.Index(fields=["id"], name="message_pending", condition=Q(state="pending")),
            models.Index(fields=["-id"], name="message_to_look_at", condition=Q(state__in=["held", "quarantined"])),
            models.Index(fields=["message_id"], name="message_by_id", condition=~Q(message_id="")),
            models.Index(fields=["sender", "received_at"], name="message_sender", condition=~Q(sender="")),
            models.Index(fields=["ticket", "received_at"], name="message_of_ticket", condition=Q(ticket__isnull=False)),
            models.Index(fields=["comment"], name="message_of_comment", condition=Q(comment__isnull=False)),
            models.Index(fields=["mailbox", "-id"], name="message_of_mailbox"),
        ]


class MessageSource(models.Model):
    """A mail word for word. Beside its row, so that what is written about it does not write it again."""

    message = models.OneToOneField(InboundMessage, models.CASCADE, primary_key=True, related_name="source")
    raw = models.BinaryField()


class ThreadReference(models.Model):
    """A Message-ID seen on a ticket, of mail in or out: answers to it belong there. `digest` is `rules.mailboxes.id_digest` of it."""

    digest = models.CharField(max_length=32)
    ticket = models.ForeignKey("tickets.Ticket", models.CASCADE, related_name="+", db_index=False)
    message_id = models.CharField(max_length=250)
    is_ours = models.BooleanField()
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["digest", "ticket"], name="thread_reference_once")]
        indexes = [models.Index(fields=["ticket", "id"], name="thread_reference_ticket")]


class MailRule(models.Model):
    """What a mail that fits becomes; the first one that fits, by `position`. `definition` is `rules.mail_rules.Rule` as JSON."""

    name = models.CharField(max_length=80)
    position = models.PositiveIntegerField()
    mailbox = models.ForeignKey(Mailbox, models.CASCADE, null=True, related_name="+", db_index=False)
    definition = models.JSONField()
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    fits_count = models.BigIntegerField(default=0)
    last_fit_at = models.DateTimeField(null=True)
