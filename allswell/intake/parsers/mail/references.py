"""Our own ids and addresses in mails, and what proves them ours: a signature that only this installation can make."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

_SIGNED = re.compile(r"(\d{1,12})\.([A-Za-z0-9_-]{1,80})-([a-z2-7]{26})@([A-Za-z0-9.-]{1,253})")
_PLUS = re.compile(r"(.{1,64})\+t(\d{1,12})-([a-z2-7]{26})@(.{1,253})")
_SUBJECT = re.compile(r"\[([A-Z]{2,6}-\d{1,12})\]")


@dataclass(frozen=True, slots=True)
class Own:
    """What is ours: the host in our Message-IDs, the addresses we write from and take mail at, and the key that signs both.

    What a former key signed is still ours: answers come years later.
    """

    hosts: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()
    key: bytes = field(default=b"", repr=False)
    former_keys: tuple[bytes, ...] = field(default=(), repr=False)

    def signed(self, signature: str, *said: str) -> bool:
        """Whether one of the keys signed this."""
        keys = (self.key, *self.former_keys) if self.key else ()
        return any(hmac.compare_digest(signature, _signature(key, *said)) for key in keys)


def _signature(key: bytes, *said: str) -> str:
    digest = hmac.new(key, "\0".join(said).encode("utf-8", "replace"), hashlib.sha256).digest()[:16]
    return base64.b32encode(digest).decode("ascii").rstrip("=").lower()


def message_id(number: int, unique: str, host: str, key: bytes) -> str:
    """The id of a mail about ticket `number`, 0 for one about none or several, without brackets: 1042.UNIQUE-SIGNATURE@host.

    The same arguments give the same id.
    """
    return f"{number}.{unique}-{_signature(key, 'id', str(number), unique, host.lower())}@{host.lower()}"


def ticket_of_id(said: str, own: Own) -> int | None:
    """The number of the ticket that an id of ours is about; None for ids of others, changed ones and invented ones."""
    return _number(said, own) or None


def _number(said: str, own: Own) -> int | None:
    found = _SIGNED.fullmatch(said)
    if found is None:
        return None
    number, unique, signature, host = found.groups()
    is_ours = own.signed(signature, "id", number, unique, host.lower())
    return int(number) if is_ours and host.lower() in own.hosts else None


def reply_address(number: int, address: str, key: bytes) -> str:
    """The address that takes answers about ticket `number`: support+t1042-SIGNATURE@example.org."""
    local, _, domain = address.lower().rpartition("@")
    return f"{local}+t{number}-{_signature(key, 'address', str(number), address.lower())}@{domain}"


def ticket_of_address(said: str, own: Own) -> int | None:
    """The number of the ticket whose signed address this is; None for any other."""
    found = _PLUS.fullmatch(said.lower())
    if found is None:
        return None
    local, number, signature, domain = found.groups()
    address = f"{local}@{domain}"
    is_ours = own.signed(signature, "address", number, address)
    return int(number) if is_ours and address in own.addresses else None


def plain_address(said: str) -> str:
    """An address without what follows its plus sign."""
    local, at, domain = said.lower().rpartition("@")
    return f"{local.partition('+')[0]}{at}{domain}"


def is_own_address(said: str, own: Own) -> bool:
    """Whether mail to this address comes back to us."""
    return bool(said) and (said.lower() in own.addresses or plain_address(said) in own.addresses)


def is_own_id(said: str, own: Own) -> bool:
    """Whether we made an id. The host in it tells nothing: anybody can write it, and programs that know no better say "localhost"."""
    return _number(said, own) is not None


def is_invented(said: str, own: Own) -> bool:
    """Whether an id names a host of ours, but is none that we made."""
    return said.rpartition("@")[2].lower() in own.hosts and not is_own_id(said, own)


def tickets_of_subject(subject: str, prefixes: Collection[str]) -> tuple[int, ...]:
    """The numbers in a subject such as "Re: [INC-1042] Look-up is down". They prove nothing: anybody can write them."""
    found: Iterable[str] = _SUBJECT.findall(subject.upper())
    return tuple(dict.fromkeys(int(number) for prefix, _, number in (one.partition("-") for one in found) if prefix in prefixes))
