"""How the sign-in library keeps the secrets of second factors: sealed."""

from __future__ import annotations

from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings

from allswell.kernel.sealed import seal, unseal


class Adapter(DefaultMFAAdapter):
    """Seals what the library would keep in the clear."""

    def encrypt(self, text: str) -> str:
        """As it is stored."""
        return seal(text, keys=[settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS])

    def decrypt(self, encrypted_text: str) -> str:
        """As it was."""
        return unseal(encrypted_text, keys=[settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS])
