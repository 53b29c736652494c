"""Secrets that must be read again (a webhook's key, the seed of a second factor), encrypted as they are stored.

Fernet with keys derived from the installation's secret keys: the first one seals, all of them open, so keys can be changed.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import lru_cache

from cryptography.fernet import Fernet, MultiFernet


@lru_cache(maxsize=4)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    derived = [hashlib.blake2b(key.encode(), digest_size=32, person=b"allswell.seal").digest() for key in keys]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in derived])


def seal(text: str, *, keys: Sequence[str]) -> str:
    """Encrypt; `keys` newest first."""
    return _box(tuple(keys)).encrypt(text.encode()).decode("ascii")


def unseal(sealed: str, *, keys: Sequence[str]) -> str:
    """Decrypt what one of the keys sealed. Raises cryptography.fernet.InvalidToken."""
    return _box(tuple(keys)).decrypt(sealed.encode("ascii")).decode()


def row_of(session_key: str) -> str:
    """What stands in the database for the key of a session, which only its browser knows: 160 bits of its SHA-256."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:40]
