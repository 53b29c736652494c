"""The key this installation proves itself with to push services (VAPID, RFC 8292), and what a message is encrypted with (RFC 8291). Pure.

Written with the library of ciphers that is there anyway; `docs/decisions/0012-web-push-by-hand.md` says why, and a test holds it to the
examples of both standards.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .addresses import Subscription, padless, unpadded

#: push services take 4096 bytes: 86 are the header, 16 the seal, 1 ends the text
TEXT_LIMIT = 4096 - 86 - 16 - 1
_RECORD = 4096
#: a proof holds at most a day; half leaves room for clocks that differ
_HOLDS_FOR = timedelta(hours=12)
_CURVE = ec.SECP256R1()


@dataclass(frozen=True, slots=True)
class KeyPair:
    """Both in the base64 of addresses: `public` is given to browsers, `private` leaves the database only sealed."""

    public: str
    private: str = field(repr=False)


def new_pair() -> KeyPair:
    """A new key."""
    return _pair(ec.generate_private_key(_CURVE))


def _pair(key: ec.EllipticCurvePrivateKey) -> KeyPair:
    number = key.private_numbers().private_value
    return KeyPair(padless(_point(key.public_key())), padless(number.to_bytes(32, "big")))


def name(public: str) -> str:
    """A short name of a key, to tell with which a subscription was made."""
    return sha256(public.encode()).hexdigest()[:16]


def _private(text: str) -> ec.EllipticCurvePrivateKey:
    """Raises ValueError when it is no key."""
    return ec.derive_private_key(int.from_bytes(unpadded(text), "big"), _CURVE)


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def proof(private: str, endpoint: str, *, subject: str, at: datetime) -> str:
    """The Authorization header for a push service: who we are and whom to write to about us, signed. Raises ValueError."""
    key = _private(private)
    parts = urlsplit(endpoint)
    head = {"typ": "JWT", "alg": "ES256"}
    claims = {"aud": f"{parts.scheme}://{parts.netloc}", "exp": int((at + _HOLDS_FOR).timestamp()), "sub": subject}
    said = ".".join(padless(json.dumps(part, separators=(",", ":")).encode()) for part in (head, claims))
    first, second = decode_dss_signature(key.sign(said.encode(), ec.ECDSA(SHA256())))
    signed = padless(first.to_bytes(32, "big") + second.to_bytes(32, "big"))
    return f"vapid t={said}.{signed},k={padless(_point(key.public_key()))}"


def _derived(secret: bytes, *, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(secret)


def encrypted(text: bytes, to: Subscription, *, own: ec.EllipticCurvePrivateKey | None = None, salt: bytes = b"") -> bytes:
    """A message only that browser can read: one record of aes128gcm. Key and salt are new for each. Raises ValueError."""
    own = own or ec.generate_private_key(_CURVE)
    salt = salt or os.urandom(16)
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, to.public_key)
    mine = _point(own.public_key())
    info = b"WebPush: info\0" + to.public_key + mine
    shared = _derived(own.exchange(ec.ECDH(), theirs), salt=to.secret, info=info, length=32)
    key = _derived(shared, salt=salt, info=b"Content-Encoding: aes128gcm\0", length=16)
    nonce = _derived(shared, salt=salt, info=b"Content-Encoding: nonce\0", length=12)
    sealed = AESGCM(key).encrypt(nonce, text + b"\x02", None)
    return salt + _RECORD.to_bytes(4, "big") + bytes([len(mine)]) + mine + sealed
