"""DKIM (RFC 6376, RFC 8463): signatures by which other mail servers know that a mail is of the domain it names.

The keys are files of the operator's, looked at when a mail is sent, so that one can be put in place or changed while the engine runs.
A key that cannot be used stops no mail: it goes out with the other signatures, or none; the log and the doctor say so.
"""

from __future__ import annotations

import base64
import logging
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.utils import parseaddr
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from django.conf import settings

from .rules.signing import Place

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

log = logging.getLogger("allswell.engine")

#: what is signed although it may be missing, and once more than it is there: nobody can put another one in front
_SEALED = (
    "from", "to", "cc", "subject", "date", "message-id", "reply-to", "content-type", "list-unsubscribe", "list-unsubscribe-post",
)  # fmt: skip
#: what is signed where it is there
_SIGNED = (
    "in-reply-to", "references", "mime-version", "content-transfer-encoding", "content-language", "auto-submitted", "list-id",
    "x-auto-response-suppress", "importance", "priority", "x-priority", "x-allswell-page",
)  # fmt: skip
#: the least RSA keys that others believe, in bits (RFC 8301), and what is made
_LEAST, MADE_BITS = 1024, 2048
#: more than any key
_MOST_BYTES = 100_000


class BadKey(Exception):
    """A key cannot be used; the message says why and holds nothing of the key."""


@dataclass(frozen=True)
class Key:
    """A private key that was read."""

    selector: str
    private: RSAPrivateKey | Ed25519PrivateKey = field(repr=False)

    @property
    def algorithm(self) -> str:
        """As a signature names it."""
        return "rsa-sha256" if isinstance(self.private, RSAPrivateKey) else "ed25519-sha256"

    @property
    def about(self) -> str:
        """The kind of key in words."""
        return f"RSA, {self.private.key_size} bits" if isinstance(self.private, RSAPrivateKey) else "Ed25519"

    @cached_property
    def public(self) -> str:
        """What is published of it: base64."""
        form = serialization.PublicFormat
        if isinstance(self.private, RSAPrivateKey):
            told = self.private.public_key().public_bytes(serialization.Encoding.DER, form.SubjectPublicKeyInfo)
        else:
            told = self.private.public_key().public_bytes(serialization.Encoding.Raw, form.Raw)
        return base64.b64encode(told).decode()

    @property
    def record(self) -> str:
        """The text of the DNS record others look the key up in."""
        return f"v=DKIM1; k={'rsa' if isinstance(self.private, RSAPrivateKey) else 'ed25519'}; p={self.public}"

    @cached_property
    def _material(self) -> bytes:
        """The key as the library takes it."""
        if isinstance(self.private, Ed25519PrivateKey):
            return base64.b64encode(self.private.private_bytes_raw())
        form = serialization.PrivateFormat.TraditionalOpenSSL
        return self.private.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())

    def sign(self, raw: bytes, *, domain: str) -> bytes:
        """The signature of a mail as a header of its own, with the line's end."""
        import dkim  # noqa: PLC0415 - costs 10 MB and a tenth of a second in every process; only the engine of who signs needs it

        names = _names(raw)
        signed: bytes = dkim.sign(
            raw,
            self.selector.encode(),
            domain.encode(),
            self._material,
            canonicalize=(b"relaxed", b"relaxed"),
            signature_algorithm=self.algorithm.encode(),
            include_headers=names,
            linesep=b"\r\n",
        )
        return signed


def _names(raw: bytes) -> list[bytes]:
    """The headers a signature covers, as often as it covers them."""
    head = raw.partition(b"\r\n\r\n")[0]
    there = [
        line.partition(b":")[0].strip().lower().decode("ascii", "replace")
        for line in head.split(b"\r\n")
        if line[:1] not in b" \t"
    ]
    names = [name for name in _SEALED for _ in range(there.count(name) + 1)]
    names += [name for name in _SIGNED for _ in range(there.count(name))]
    return [name.encode() for name in names]


def load(place: Place) -> Key:
    """The key in a file. Raises BadKey."""
    try:
        with place.path.open("rb") as file:
            pem = file.read(_MOST_BYTES)
    except (OSError, ValueError) as error:
        raise BadKey(f"{place.path} cannot be read: {getattr(error, 'strerror', None) or 'that is no file name'}.") from None
    try:
        private: PrivateKeyTypes = serialization.load_pem_private_key(pem, password=None)
    except TypeError:
        raise BadKey(f"{place.path} asks for a password; keep the key without one, readable by its owner alone.") from None
    except (ValueError, UnsupportedAlgorithm):
        raise BadKey(f"{place.path} holds no private key (PEM).") from None
    if not isinstance(private, RSAPrivateKey | Ed25519PrivateKey):
        raise BadKey(f"{place.path} holds a key of another kind: DKIM knows RSA and Ed25519.")
    if isinstance(private, RSAPrivateKey) and private.key_size < _LEAST:
        raise BadKey(f"{place.path} holds an RSA key of {private.key_size} bits; others believe {_LEAST} or more.")
    return Key(place.selector, private)


def make(place: Place, *, kind: str) -> Key:
    """A new key ("rsa" or "ed25519") in a file only its owner may read. Raises FileExistsError, OSError."""
    private = generate_private_key(65537, MADE_BITS) if kind == "rsa" else Ed25519PrivateKey.generate()
    form = serialization.PrivateFormat.PKCS8
    pem = private.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    descriptor = os.open(place.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
    return Key(place.selector, private)


def in_pieces(record: str) -> str:
    """A record as a zone file takes it: quoted, in texts of at most 255 characters."""
    return " ".join(f'"{record[at : at + 255]}"' for at in range(0, len(record), 255))


class Signer:
    """Signs mails with every key that can be used. Never raises; says once what is wrong, and once that it is right again."""

    def __init__(self, places: Sequence[Place]) -> None:
        self.places = tuple(places)
        self._kept: dict[Place, tuple[tuple[int, ...], Key | None]] = {}
        self._told: dict[Place, str] = {}
        self._lock = threading.Lock()

    def signed(self, raw: bytes, *, sender: str) -> bytes:
        """A mail with its signatures in front; `sender` is the address it names in From, whose domain signs."""
        domain = _ascii(sender.rpartition("@")[2])
        if not domain:
            return raw
        found = [said for place in self.places if (said := self._signature(place, raw, domain))]
        return b"".join([*found, raw])

    def look(self) -> None:
        """Read the keys and say what is wrong with them, before the first mail."""
        for place in self.places:
            self._key(place)

    def _signature(self, place: Place, raw: bytes, domain: str) -> bytes:
        key = self._key(place)
        if key is None:
            return b""
        try:
            return key.sign(raw, domain=domain)
        except Exception as error:  # noqa: BLE001 - whatever the library says: the mail goes out, and its text is not logged
            self._tell(place, f"no signature could be made ({type(error).__name__}).")
            return b""

    def _key(self, place: Place) -> Key | None:
        try:
            seen = os.stat(place.path)
            mark: tuple[int, ...] = (seen.st_mtime_ns, seen.st_size, seen.st_ino)
        except (OSError, ValueError):
            mark = ()
        with self._lock:
            kept = self._kept.get(place)
        if mark and kept is not None and kept[0] == mark:
            return kept[1]
        try:
            key: Key | None = load(place)
        except BadKey as error:
            self._tell(place, str(error))
            key = None
        else:
            self._tell(place, "")
        with self._lock:
            self._kept[place] = (mark, key)
        return key

    def _tell(self, place: Place, what: str) -> None:
        with self._lock:
            is_new = self._told.get(place, "") != what
            self._told[place] = what
        if not is_new:
            return
        if what:
            log.warning("mails go out without the DKIM signature of %s: %s", place.selector, what)
        else:
            log.warning("mails are signed with the DKIM key %s again", place.selector)


def in_use() -> Signer | None:
    """Who signs here; None where no key is set."""
    return _signer(tuple(settings.DKIM_KEYS)) if settings.DKIM_KEYS else None


@lru_cache(maxsize=1)
def _signer(places: tuple[Place, ...]) -> Signer:
    return Signer(places)


def home() -> str:
    """The domain that signs: that of ALLSWELL_MAIL_FROM, by which every mail is written; "" when there is none."""
    return _ascii(parseaddr(settings.MAIL_FROM)[1].rpartition("@")[2])


def _ascii(domain: str) -> str:
    try:
        return domain.strip(" .>").encode("idna").decode("ascii").lower()
    except UnicodeError:
        return ""
