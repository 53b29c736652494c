"""Signing in."""

from __future__ import annotations

from django.contrib.auth.backends import BaseBackend


class EmailBackend(BaseBackend):
    """E-mail and password."""
