"""Who wrote a mail, and how far that is proven. An address alone proves nothing: anybody can write it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from allswell.desk.people import create_person_step
from allswell.intake.parsers.mail.understanding import Understood
from allswell.intake.rules.mailboxes import Decision
from allswell.kernel import text
from allswell.kernel.actor import Actor, Channel
from allswell.kernel.errors import Invalid
from allswell.people import queries as people
from allswell.people.rules import Proof

if TYPE_CHECKING:
    from allswell.intake.models import Mailbox
    from allswell.people.models import Person

_FAILED = ("fail", "reject", "quarantine", "permerror")


@dataclass(frozen=True, slots=True)
class Sender:
    """The one who wrote a mail. `is_proven`: a server we trust says that the address is theirs. `is_forged`: it says that it is not."""

    address: str
    name: str
    person: Person | None
    actor: Actor | None
    is_proven: bool
    is_forged: bool

    @property
    def person_id(self) -> int | None:
        """The one who wrote, if known and in use."""
        return self.actor.person if self.actor is not None else None

    @property
    def is_unusable(self) -> bool:
        """Whether they are known, but not in use any more."""
        return self.person is not None and not self.person.is_active


def sender_of(found: Understood, decision: Decision | None) -> Sender:
    """Who wrote a mail; where a person decided that, by whom it counts as written."""
    said = found.mail.from_
    address = _address(said.address)
    told = found.authentication
    failed = told.dmarc in _FAILED or (not told.dmarc and told.spf == "fail" and told.dkim != "pass")
    person = people.any_person(decision.person) if decision and decision.person else None
    if person is None and address:
        person = people.person_by_address(address)
    return Sender(
        address=address,
        name=said.name[:120],
        person=person,
        actor=people.actor_for(person, channel=Channel.EMAIL) if person is not None and person.is_active else None,
        is_proven=told.is_aligned and (decision is None or decision.person is None),
        is_forged=told.is_checked and not told.is_aligned and failed,
    )


def _address(said: str) -> str:
    try:
        return text.folded_address(said)
    except Invalid:
        return ""


def make_known(sender: Sender, mailbox: Mailbox | None, *, actor: Actor, now: datetime) -> Person:
    """Make a stranger known, in the organization of the mailbox. Raises Invalid, Conflict."""
    name = text.clean(sender.name).strip() or sender.address.partition("@")[0]
    return create_person_step(
        name=" ".join(name.split())[:120] or sender.address[:120],
        email=sender.address,
        organization=mailbox.organization_id if mailbox else None,
        proof=Proof.VOUCHED,
        password_hash="",
        details={},
        actor=actor,
        now=now,
    )
