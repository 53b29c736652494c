"""Phones, mailboxes and browsers of the cast: what the engine sends them while time passes, and what they answer.

    dba = phones.of(world.amir, "sms")
    phones.forward(minutes=5)
    dba.expects(f"INC-{ticket.pk}")
    dba.is_silent()

Time passes in steps of ten seconds, and in each the engine takes the steps that are due and sends what there is to send. A line in
the log that says that something went wrong fails the story.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from allswell.desk import calling, page_sending, paging
from allswell.desk.page_sending import Done, Parcel, Unsent
from allswell.kernel.actor import engine
from allswell.notifications.letters import PageMessage
from allswell.notifications.models import ContactMethod
from allswell.notifications.rules import Answer, Outcome
from allswell.oncall.models import Page
from allswell.people.models import Person

from .world import World

_TICK = timedelta(seconds=10)


@dataclass
class Device:
    """One way to a person. `answer` says what its carrier answers."""

    phones: Phones
    person: Person
    kind: str
    got: list[PageMessage] = field(default_factory=list)
    answer: Outcome = Outcome.SENT

    def expects(self, words: str) -> PageMessage:
        """The next message there is about this; it is taken out. Fails when there is none, and says what came in its place."""
        for message in self.got:
            if words in f"{message.reference} {message.headline} {message.text} {message.short}":
                self.got.remove(message)
                return message
        came = [message.headline for message in self.got] or "nothing"
        raise AssertionError(f"{self.person.name} by {self.kind}: expected {words!r}, got {came}")

    def is_silent(self) -> None:
        """Nothing came that nobody expected."""
        assert not self.got, f"{self.person.name} by {self.kind}: {[message.headline for message in self.got]}"

    def answers(self, message: PageMessage, *, minutes: int | None = None) -> None:
        """Their thumb is on the button."""
        world = self.phones.world
        page = Page.objects.filter(person=self.person, ticket=message.number).latest("pk")
        paging.answer_page(page.pk, by=self.kind, minutes=minutes, **world.by(self.person))


class Phones:
    """All devices; made by the fixture `phones` of the stories."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._devices: dict[tuple[int, str], Device] = {}
        self._numbers = 0

    def of(self, person: Person, kind: str = "email") -> Device:
        """A device of a person; by e-mail it is the mailbox everybody has."""
        if (person.pk, kind) not in self._devices:
            if kind != "email":
                self._numbers += 1
                ContactMethod.objects.create(
                    person=person,
                    kind=kind,
                    address=f"+4915100000{self._numbers:03}",
                    shown="…",
                    created_at=self.world.now,
                    verified_at=self.world.now,
                )
            self._devices[person.pk, kind] = Device(self, person, kind)
        return self._devices[person.pk, kind]

    def forward(self, **delta: float) -> None:
        """Let time pass, and the engine work."""
        until = self.world.now + timedelta(**delta)
        self._work()
        while self.world.now < until:
            self.world.now = min(until, self.world.now + _TICK)
            self._work()

    def _work(self) -> None:
        now = self.world.now
        while calling.take_steps(limit=50, actor=engine(), now=now):
            pass
        while groups := page_sending.claim(limit=50, actor=engine(), now=now):
            made = page_sending.parcels(groups, now=now)
            page_sending.drop([one for one in made if isinstance(one, Unsent)], actor=engine(), now=now)
            done = [Done(one, self._carry(one)) for one in made if isinstance(one, Parcel)]
            page_sending.settle(done, chance=0.0, actor=engine(), now=now)

    def _carry(self, parcel: Parcel) -> Answer:
        page = Page.objects.get(pk=parcel.group.head.page)
        assert page.person is not None
        device = self.of(page.person, parcel.way.kind)
        if device.answer is Outcome.SENT:
            device.got.append(parcel.message)
        return Answer(device.answer, self.world.now, self.world.now, detail="As told.")
