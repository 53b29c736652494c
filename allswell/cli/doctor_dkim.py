"""What the doctor finds about the keys that sign mail: whether they can be read, and whether others find their public halves."""

from __future__ import annotations

import stat
from collections.abc import Iterator

from django.conf import settings

from allswell.notifications import signing
from allswell.notifications.rules.signing import Place, domain_name

from .findings import BAD, GOOD, NOTE, Finding

ABOUT = "dkim"
#: seconds the name servers may take
_WITHIN = 5.0


class NotAsked(Exception):
    """The name servers did not answer: nothing is known."""


def look() -> Iterator[Finding]:
    """One finding for each key; nothing where no mail goes out."""
    if not settings.SMTP_URL or not settings.MAIL_FROM:
        return
    if not settings.DKIM_KEYS:
        yield Finding(ABOUT, NOTE, "Mail is not signed here.", "Fine where the mail server signs it; else: allswell mail dkim")
    for place in settings.DKIM_KEYS:
        yield from _key(place)


def _key(place: Place) -> Iterator[Finding]:
    try:
        key = signing.load(place)
    except signing.BadKey as error:
        found = f"{place.selector}: {error} Mail goes out without this signature."
        yield Finding(ABOUT, BAD, found, "Check ALLSWELL_DKIM_KEYS, and who owns the file; the engine must be able to read it.")
        return
    if stat.S_IMODE(place.path.stat().st_mode) & 0o007:
        yield Finding(ABOUT, BAD, f"Everybody on this machine may read {place.path}.", f"chmod 600 {place.path}")
    name = domain_name(place.selector, signing.home())
    advice = f"Publish at {name}: TXT {signing.in_pieces(key.record)}"
    try:
        records = texts_of(name)
    except NotAsked as error:
        found = f"{place.selector} ({key.about}) can be read; whether {name} is published could not be asked ({error})."
        yield Finding(ABOUT, NOTE, found, "Try again where names can be looked up.")
        return
    said = [record for record in records if "p=" in record]
    if not said:
        yield Finding(ABOUT, BAD, f"{name} is not published: others count the mail as badly signed.", advice)
    elif not any(_tag_p(record) == key.public for record in said):
        yield Finding(ABOUT, BAD, f"{name} names another key: others count the mail as badly signed.", advice)
    else:
        yield Finding(ABOUT, GOOD, f"{place.selector} ({key.about}) can be read, and {name} is published.")


def _tag_p(record: str) -> str:
    tags = dict(part.partition("=")[::2] for part in "".join(record.split()).split(";"))
    return tags.get("p", "")


def texts_of(name: str) -> list[str]:
    """The TXT records of a name; none where there is no such name. Raises NotAsked."""
    from dns import exception, resolver  # noqa: PLC0415 - the doctor of who signs mail needs it, and no other command

    try:
        found = resolver.resolve(f"{name}.", "TXT", lifetime=_WITHIN, raise_on_no_answer=False)
    except resolver.NXDOMAIN:
        return []
    except (exception.DNSException, OSError) as error:
        raise NotAsked(type(error).__name__) from None
    return [b"".join(row.strings).decode("ascii", "replace") for row in found]
