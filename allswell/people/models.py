"""People, organizations, teams, roles, tokens."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.db.models import Q

from allswell.kernel.actor import Role, ScopeKind

from . import rules


class Organization(models.Model):
    """A business unit or a customer; the boundary of what people see. `path` holds the ids from the root, "/1/4/"."""

    KINDS = [("business_unit", "Business unit"), ("customer", "Customer")]

    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    kind = models.CharField(max_length=20, choices=KINDS, default="business_unit")
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children")
    path = models.CharField(max_length=250, db_index=True)
    is_active = models.BooleanField(default=True)
    #: what is None is inherited from the parent, at the root from the defaults of the glossary
    priority_matrix = models.JSONField(null=True)
    closes_after_days = models.PositiveSmallIntegerField(null=True)
    reopens_within_days = models.PositiveSmallIntegerField(null=True)
    note = models.TextField(default="", blank=True)


class Person(AbstractBaseUser):
    """Somebody. Requester and agent at once, if need be. E-mail addresses are rows of their own, never the identity."""

    uid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120)
    organization = models.ForeignKey(Organization, models.PROTECT, null=True, related_name="people")
    title = models.CharField(max_length=120, default="", blank=True)
    phone = models.CharField(max_length=40, default="", blank=True)
    location = models.CharField(max_length=120, default="", blank=True)
    locale = models.CharField(max_length=12, default="", blank=True)
    time_zone = models.CharField(max_length=60, default="", blank=True)
    theme = models.CharField(max_length=5, default="", blank=True)  # "", light, dark
    has_single_keys = models.BooleanField(default=True)
    manager = models.ForeignKey("self", models.PROTECT, null=True, related_name="reports")
    is_active = models.BooleanField(default=True)
    away_from = models.DateTimeField(null=True)
    away_until = models.DateTimeField(null=True)
    stands_in = models.ForeignKey("self", models.PROTECT, null=True, related_name="stands_in_for")
    external_ref = models.CharField(max_length=120, default="", blank=True)
    created_at = models.DateTimeField()

    USERNAME_FIELD = "uid"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        indexes = [models.Index(fields=["name", "id"], name="person_name")]
        constraints = [
            models.UniqueConstraint(fields=["external_ref"], condition=~Q(external_ref=""), name="person_external_ref")
        ]

    def __str__(self) -> str:
        """Never the name: this ends up in logs."""
        return f"person {self.pk}"


class EmailAddress(models.Model):
    """An address of a person, and how far it is known to be theirs."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="addresses")
    address = models.CharField(max_length=254)  # folded: trimmed, lower case
    proof = models.CharField(max_length=10, choices=[(p.value, p.value) for p in rules.Proof])
    is_primary = models.BooleanField(default=False)
    added_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["address"], condition=~Q(proof="claimed"), name="address_of_one_person"),
            models.UniqueConstraint(fields=["person", "address"], name="address_once_per_person"),
            models.UniqueConstraint(fields=["person"], condition=Q(is_primary=True), name="one_primary_address"),
        ]
        indexes = [models.Index(fields=["address"], name="address")]


class Team(models.Model):
    """Agents who receive tickets together. `line` is 1 for the service desk, 2 and 3 for specialists."""

    ASSIGNMENTS = [("manual", "By hand"), ("round_robin", "In turn"), ("least_loaded", "To the least loaded")]

    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    email = models.CharField(max_length=254, default="", blank=True)
    line = models.PositiveSmallIntegerField(default=1)
    description = models.TextField(default="", blank=True)
    organization = models.ForeignKey(Organization, models.PROTECT, null=True, related_name="teams")
    lead = models.ForeignKey(Person, models.PROTECT, null=True, related_name="leads")
    assignment = models.CharField(max_length=15, choices=ASSIGNMENTS, default="manual")
    last_assignee = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(line__in=[1, 2, 3]), name="team_line")]


class Membership(models.Model):
    """A person works in a team."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="memberships")
    team = models.ForeignKey(Team, models.CASCADE, related_name="memberships")
    joined_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "team"], name="member_once")]


class RoleGrant(models.Model):
    """A role of a person within a scope."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="grants")
    role = models.CharField(max_length=15, choices=[(r.value, r.value) for r in Role])
    scope = models.CharField(max_length=12, choices=[(s.value, s.value) for s in ScopeKind])
    organization = models.ForeignKey(Organization, models.CASCADE, null=True, related_name="grants")
    team = models.ForeignKey(Team, models.CASCADE, null=True, related_name="grants")
    granted_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    granted_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=(
                    Q(scope="installation", organization__isnull=True, team__isnull=True)
                    | Q(scope="organization", organization__isnull=False, team__isnull=True)
                    | Q(scope="team", organization__isnull=True, team__isnull=False)
                ),
                name="grant_scope_fits",
            ),
            models.UniqueConstraint(fields=["person", "role"], condition=Q(scope="installation"), name="grant_once"),
            models.UniqueConstraint(
                fields=["person", "role", "organization"], condition=Q(scope="organization"), name="grant_once_org"
            ),
            models.UniqueConstraint(fields=["person", "role", "team"], condition=Q(scope="team"), name="grant_once_team"),
        ]


class Token(models.Model):
    """A key to the API. Only the SHA-256 of its 256 random bits is kept; `hint` is its first characters, to recognise it."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=12)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)


class SentLink(models.Model):
    """A single-use link sent by mail: a password to be set, an address to be confirmed. Only a digest is kept."""

    KINDS = [("password", "password"), ("address", "address")]

    person = models.ForeignKey(Person, models.CASCADE, related_name="+")
    address = models.ForeignKey(EmailAddress, models.CASCADE, null=True, related_name="+")
    kind = models.CharField(max_length=10, choices=KINDS)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class Guess(models.Model):
    """A failed attempt (sign-in, second factor, token), counted to slow down guessing. `key` is a keyed hash, never the input."""

    key = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["key", "at"], name="guess_key")]


class IdempotentCall(models.Model):
    """The answer to a POST that carried an Idempotency-Key, kept 24 h per token, written in the transaction of the act."""

    token = models.ForeignKey(Token, models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    request_digest = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.TextField(default="")
    headers = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["token", "key"], name="idempotency_key_once")]
        indexes = [models.Index(fields=["created_at"], name="idempotent_call_age")]
