"""What a mail becomes that opens a ticket: the first rule that fits says so, else its mailbox. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from allswell.kernel import text
from allswell.kernel.errors import Invalid

_KINDS = ("incident", "request")
#: words of a rule, and characters of each
_MOST_WORDS, _WORD_LIMIT = 50, 200


class RuleAct(StrEnum):
    """What is done with a mail that fits."""

    TAKE = "take"  # it opens a ticket
    HOLD = "hold"  # a person decides
    IGNORE = "ignore"  # nothing follows from it
    ALERT = "alert"  # a source of alerts reads it by its patterns


@dataclass(frozen=True, slots=True)
class MailFacts:
    """What rules look at. Addresses are folded; `plus` are the parts after the plus sign of where it was sent to."""

    mailbox: int | None
    sender: str
    subject: str
    plus: tuple[str, ...] = ()
    headers: Mapping[str, tuple[str, ...]] | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """What a mail must look like, all that is said, and what it becomes then. What is empty fits everything, or changes nothing.

    `senders` are addresses, or domains with all below them; `words` stand in the subject, one of them is enough; `plus` is the part of
    support+plus@example.org; `header` (lower case) must be there and, where it is said, hold `header_says`.
    `source` is that of an alert; the rest then says what ticket it opens where no pattern of the source fits.
    """

    number: int | None = None
    name: str = ""
    mailbox: int | None = None
    senders: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    plus: str = ""
    header: str = ""
    header_says: str = ""
    act: RuleAct = RuleAct.TAKE
    service: int | None = None
    team: int | None = None
    kind: str = ""
    category: int | None = None
    impact: int | None = None
    urgency: int | None = None
    source: int | None = None

    def fits(self, mail: MailFacts) -> bool:
        """Whether a mail is what this rule is about."""
        if self.mailbox is not None and mail.mailbox != self.mailbox:
            return False
        if self.senders and not any(_is_from(mail.sender, one) for one in self.senders):
            return False
        subject = mail.subject.lower()
        if self.words and not any(one in subject for one in self.words):
            return False
        if self.plus and self.plus not in mail.plus:
            return False
        if self.header:
            said = (mail.headers or {}).get(self.header)
            return said is not None and (not self.header_says or any(self.header_says in one.lower() for one in said))
        return True

    def as_json(self) -> dict[str, Any]:
        """The rule as it is stored, without what its row says."""
        kept = {one.name: getattr(self, one.name) for one in fields(self) if one.name not in ("number", "name", "mailbox")}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in kept.items()
            if value not in ("", None, ())
        }

    @classmethod
    def parse(cls, given: Mapping[str, Any], *, number: int | None = None, name: str = "", mailbox: int | None = None) -> Rule:
        """A rule as it is stored or was typed. Raises Invalid naming the field."""
        known = {one.name for one in fields(cls)} - {"number", "name", "mailbox"}
        if unknown := set(given) - known:
            raise Invalid("A rule has no such field.", field=min(unknown))
        return cls(
            number=number,
            name=name,
            mailbox=mailbox,
            senders=tuple(one.removeprefix("@") for one in _words(given.get("senders", ()), "senders")),
            words=_words(given.get("words", ()), "words"),
            plus=_line(given.get("plus", ""), "plus"),
            header=_line(given.get("header", ""), "header").rstrip(":"),
            header_says=_line(given.get("header_says", ""), "header_says"),
            act=_act(given.get("act", RuleAct.TAKE)),
            service=_number(given.get("service"), "service"),
            team=_number(given.get("team"), "team"),
            kind=_kind(given.get("kind", "")),
            category=_number(given.get("category"), "category"),
            impact=_level(given.get("impact"), "impact"),
            urgency=_level(given.get("urgency"), "urgency"),
            source=_number(given.get("source"), "source"),
        )


def decide(mail: MailFacts, rules: Iterable[Rule]) -> Rule:
    """The first rule that fits; one that changes nothing where none does."""
    return next((rule for rule in rules if rule.fits(mail)), OTHERWISE)


OTHERWISE = Rule()


def plus_parts(addresses: Iterable[str]) -> tuple[str, ...]:
    """What stands after the plus sign in these addresses."""
    found = (one.rpartition("@")[0].partition("+")[2].lower() for one in addresses)
    return tuple(dict.fromkeys(part for part in found if part))


def _is_from(sender: str, wanted: str) -> bool:
    if "@" in wanted:
        return sender == wanted
    domain = sender.rpartition("@")[2]
    return domain == wanted or domain.endswith(f".{wanted}")


def _line(value: Any, field: str) -> str:
    if not isinstance(value, str):
        raise Invalid("Use a text.", field=field)
    return text.line(value, field=field, limit=_WORD_LIMIT, required=False).lower()


def _words(value: Any, field: str) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise Invalid("Use a list of words.", field=field)
    found = tuple(dict.fromkeys(one for one in (_line(word, field) for word in value) if one))
    if len(found) > _MOST_WORDS:
        raise Invalid("Use at most %(limit)s words.", field=field, limit=_MOST_WORDS)
    return found


def _number(value: Any, field: str) -> int | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise Invalid("Choose one of the list.", field=field)
    return value


def _level(value: Any, field: str) -> int | None:
    found = _number(value, field)
    if found is not None and found > 4:
        raise Invalid("Use a number from 1 (highest) to 4.", field=field)
    return found


def _kind(value: Any) -> str:
    if value not in ("", *_KINDS):
        raise Invalid("Choose one of the list.", field="kind")
    return str(value)


def _act(value: Any) -> RuleAct:
    try:
        return RuleAct(value)
    except ValueError:
        raise Invalid("Choose one of the list.", field="act") from None
