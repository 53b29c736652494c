"""Rotas with their versions, what differs from them (overrides, leave), and the shifts that come of it."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class Rota(models.Model):
    """Who of a team is on call when. `number` is that of the newest version, `levels` the most that any version in force has.

    Shifts are written ahead up to `planned_until`. `hands_over`: some version in force wants shifts handed over.
    """

    name = models.CharField(max_length=80)
    slug = models.SlugField(max_length=60, unique=True)
    team = models.ForeignKey("people.Team", models.PROTECT, related_name="+")
    number = models.PositiveIntegerField(default=0)
    levels = models.PositiveSmallIntegerField(default=1)
    hands_over = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    planned_until = models.DateTimeField()


class RotaVersion(models.Model):
    """What a rota says from an instant on, until a version with a greater number says otherwise. Never changed.

    `definition` is `rules.Definition` as JSON: zone, support hours, limits, layers.
    """

    rota = models.ForeignKey(Rota, models.CASCADE, related_name="versions", db_index=False)
    number = models.PositiveIntegerField()
    effective_at = models.DateTimeField()
    definition = models.JSONField()
    note = models.CharField(max_length=200, default="", blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rota", "number"], name="rota_version_once")]


class RotaMember(models.Model):
    """Somebody named in a version of a rota that holds or will hold."""

    rota = models.ForeignKey(Rota, models.CASCADE, related_name="members", db_index=False)
    person = models.ForeignKey("people.Person", models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rota", "person"], name="rota_member_once")]


class ShiftRequest(models.Model):
    """Somebody asks to be covered, or to swap: `offered_to` one person, or the whole team when null.

    Theirs is the time from `starts_at` to `ends_at`; in a swap they take the other's from `in_return_starts_at` on, at
    `in_return_level`.
    """

    rota = models.ForeignKey(Rota, models.CASCADE, related_name="requests")
    kind = models.CharField(max_length=10)
    level = models.PositiveSmallIntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    asked_by = models.ForeignKey("people.Person", models.PROTECT, related_name="+")
    offered_to = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+")
    in_return_level = models.PositiveSmallIntegerField(null=True)
    in_return_starts_at = models.DateTimeField(null=True)
    in_return_ends_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=500, default="", blank=True)
    state = models.CharField(max_length=10, default="open")
    created_at = models.DateTimeField()
    decided_by = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+", db_index=False)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(starts_at__lt=F("ends_at")), name="shift_request_takes_time"),
            models.CheckConstraint(
                condition=Q(kind="cover", in_return_starts_at=None) | Q(kind="swap", in_return_starts_at__isnull=False),
                name="shift_request_swap_gives_back",
            ),
        ]
        indexes = [models.Index(fields=["starts_at"], condition=Q(state="open"), name="shift_request_open")]


class Override(models.Model):
    """Another person than the rota says, or nobody on purpose (`person` null); with `instead_of` only where that one would be."""

    rota = models.ForeignKey(Rota, models.CASCADE, related_name="overrides", db_index=False)
    level = models.PositiveSmallIntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    person = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+")
    instead_of = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+", db_index=False)
    reason = models.CharField(max_length=200, default="", blank=True)
    request = models.ForeignKey(ShiftRequest, models.PROTECT, null=True, related_name="overrides")
    created_at = models.DateTimeField()
    created_by = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+", db_index=False)
    cancelled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(starts_at__lt=F("ends_at")), name="override_takes_time")]
        indexes = [models.Index(fields=["rota", "ends_at"], condition=Q(cancelled_at=None), name="override_of_rota")]


class Leave(models.Model):
    """Somebody is not there. `source` is "" when written here, otherwise the mark of what it was read from."""

    person = models.ForeignKey("people.Person", models.PROTECT, related_name="+", db_index=False)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    note = models.CharField(max_length=200, default="", blank=True)
    source = models.CharField(max_length=250, default="", blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+", db_index=False)
    cancelled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(starts_at__lt=F("ends_at")), name="leave_takes_time"),
            models.UniqueConstraint(
                fields=["person", "source", "starts_at"], condition=Q(cancelled_at=None) & ~Q(source=""), name="leave_read_once"
            ),
        ]
        indexes = [models.Index(fields=["person", "ends_at"], condition=Q(cancelled_at=None), name="leave_of_person")]


class Shift(models.Model):
    """Who is on call at a level of a rota from one instant to another; nobody when `why` says why.

    The shifts of a level leave no minute out from its first version up to `planned_until`: a gap is a row, too. Those that are over
    are never changed. `layer` is a layer's key, `told_at` when its person was told that it is about to begin.
    """

    rota = models.ForeignKey(Rota, models.CASCADE, related_name="shifts", db_index=False)
    level = models.PositiveSmallIntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    person = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+", db_index=False)
    why = models.CharField(max_length=10, default="", blank=True)
    layer = models.PositiveIntegerField(null=True)
    turn = models.DateTimeField(null=True)
    override = models.ForeignKey(Override, models.PROTECT, null=True, related_name="+", db_index=False)
    stands_for = models.ForeignKey("people.Person", models.PROTECT, null=True, related_name="+", db_index=False)
    told_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rota", "level", "starts_at"], name="shift_once"),
            models.CheckConstraint(condition=Q(starts_at__lt=F("ends_at")), name="shift_takes_time"),
            models.CheckConstraint(
                condition=Q(person=None) & ~Q(why="") | Q(person__isnull=False, why=""), name="shift_has_somebody_or_says_why"
            ),
        ]
        indexes = [
            models.Index(fields=["rota", "level", "ends_at"], name="shift_on_call"),
            models.Index(fields=["person", "ends_at"], condition=Q(person__isnull=False), name="shift_of_person"),
            models.Index(fields=["starts_at"], condition=Q(person__isnull=False, told_at=None), name="shift_to_tell"),
        ]


class CalendarLink(models.Model):
    """A secret address at which a calendar program reads the shifts of a person, or of a rota. Only its digest is kept."""

    person = models.ForeignKey("people.Person", models.CASCADE, related_name="+")
    rota = models.ForeignKey(Rota, models.CASCADE, null=True, related_name="+", db_index=False)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    last_read_at = models.DateTimeField(null=True)
