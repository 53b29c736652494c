"""Secrets in the database under the installation's keys: what lies in a backup opens nothing without them."""

from __future__ import annotations

from django.conf import settings

from allswell.kernel import sealed


def _keys() -> list[str]:
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]


def seal(secret: str) -> str:
    """A secret as it is stored."""
    return sealed.seal(secret, keys=_keys())


def unseal(stored: str) -> str:
    """The secret again. Raises cryptography.fernet.InvalidToken when no key of today's opens it."""
    return sealed.unseal(stored, keys=_keys())
