"""Signing in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.backends import BaseBackend

from allswell.people import queries as people

if TYPE_CHECKING:
    from allswell.people.models import Person


class EmailBackend(BaseBackend):
    """E-mail and password."""

    def get_user(self, user_id: int) -> Person | None:
        """The signed-in person, while active."""
        return people.person(user_id)
