"""The stories of the demo that are told on purpose: Account look-up down now and eight weeks ago, a branch without network."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from allswell.desk import announcements, tickets
from allswell.desk.door import use_case
from allswell.incidents import queries as incidents
from allswell.kernel import actor as actors
from allswell.kernel.actor import Actor, Channel
from allswell.tickets import operations as ticket_operations
from allswell.tickets import queries
from allswell.tickets.rules import Kind, LinkKind, WaitingOn

from .scripts import Pen, Script, close_by_itself, quietly

if TYPE_CHECKING:
    from .play import Play


@use_case
def link(source: int, target: int, *, kind: LinkKind, actor: Actor, now: datetime) -> None:
    first, second = queries.ticket(source), queries.ticket(target)
    assert first is not None
    assert second is not None
    ticket_operations.link(first, second, kind=kind, actor=actor, now=now)


class SetPieces(Pen):
    """Writes their scripts. `count` is how many tickets they open."""

    def __init__(self, play: Play) -> None:
        super().__init__(play)
        self.count = 0

    def enter_all(self) -> None:
        """The stories told on purpose."""
        self._last_time()
        self._branch_down()
        self._restricted()
        self._down_now()
        self._delivered()

    def _script(self, at: datetime, who: str, channel: Channel, what: tickets.Report) -> Script:
        """A script with its opening act, entered; acts added later still come."""
        script = Script(is_urgent=True)

        def act(_: int, now: datetime) -> None:
            script.number = tickets.report(what, **self.play.by(who, now, channel)).pk

        script.then(0, act)
        self.play.enter(script, at)
        self.count += 1
        return script

    def _lookup_report(self, title: str, tells: str, requester: str | None = None) -> tickets.Report:
        return tickets.Report(
            kind=Kind.INCIDENT,
            title=title,
            description=tells,
            requester=self.play.key(requester) if requester else None,
            service="account-look-up",
            can_work="no",
        )

    def _last_time(self) -> None:
        """Account look-up was down before, eight weeks ago, with the same cause: what today's incident is compared with."""
        at = self.play.workday(56, 8.7)
        script = self._script(
            at,
            "Eva Brunner",
            Channel.PORTAL,
            self._lookup_report("Account look-up does not start", "Nobody at the branch can look up accounts since 8:40."),
        )
        self.take(script, "Julia Roth", 3)
        self._announce(
            script, "Julia Roth", "Account look-up is down", "We are on it. Core banking works: use it for balances.", 6
        )
        self.hand_over(
            script,
            "Julia Roth",
            "Databases",
            "Every search ends with a time-out at the customer database.",
            "Both application servers restarted, no change.",
            5,
        )
        self.take(script, "Priya Nair", 4)
        self.note(
            script,
            "Priya Nair",
            "All 200 connections of the pool are held by sessions of the report generator that never end. "
            "Workaround: end the sessions of REPGEN that are idle for more than ten minutes, then restart the pool.",
            12,
        )
        script.then(4, lambda number, now: quietly(tickets.restore, number, **self.play.by("Priya Nair", now)))
        self.say(script, "Priya Nair", "Account look-up works again. Please sign out and in once.", 3)
        script.then(
            20,
            lambda number, now: quietly(
                tickets.resolve,
                number,
                code="workaround",
                resolution="Idle sessions of the report generator ended, connection pool restarted. The cause is not removed.",
                **self.play.by("Priya Nair", now),
            ),
        )
        script.then(5 * 24 * 60, close_by_itself)

    def _announce(self, script: Script, who: str, title: str, body: str, minutes: float) -> None:
        def act(number: int, now: datetime) -> None:
            announcements.announce(
                number,
                title=title,
                body=body,
                is_for_all=True,
                next_update_at=now + timedelta(minutes=30),
                **self.play.by(who, now),
            )

        script.then(minutes, act)

    def _delivered(self) -> None:
        """Two requests fulfilled in the last days, which their requesters have not confirmed yet."""
        asked = (
            (3, "Clara Huber", "Second monitor for my desk", "I compare contracts all day. A second monitor would help a lot."),
            (
                2,
                "Jan Novak",
                "Access to the archive of statements",
                "I answer questions about 2019 from now on and cannot open the archive.",
            ),
        )
        for days, who, title, tells in asked:
            what = tickets.Report(kind=Kind.REQUEST, title=title, description=tells)
            script = self._script(self.play.workday(days, 9.4), who, Channel.PORTAL, what)
            self.take(script, "Julia Roth", 20)
            self.say(script, "Julia Roth", "Done. Please tell me if anything is missing.", 180)
            script.then(
                1,
                lambda number, now: quietly(tickets.resolve, number, code="fixed", **self.play.by("Julia Roth", now)),
            )

    def _branch_down(self) -> None:
        """A branch without network, reported four times: parent and children, resolved together."""
        at = self.play.workday(16, 10.2)
        parent = self._script(
            at,
            "Anna Schmidt",
            Channel.PORTAL,
            tickets.Report(
                kind=Kind.INCIDENT,
                title="Harbor branch without network",
                description="Nothing works since a minute, computers, phones, cash machine.",
                service="branch-network",
                can_work="no",
                people_affected=14,
            ),
        )
        children = []
        for minutes, who, title, service in (
            (4, "George Ellis", "Core banking not reachable", "core-banking"),
            (7, "Peter Lund", "My phone has no line", "telephony"),
            (11, "Hanna Virtanen", "Cash machine shows out of service", "cash-machines"),
        ):
            what = tickets.Report(
                kind=Kind.INCIDENT,
                title=title,
                description="Since a few minutes at Harbor branch.",
                service=service,
                can_work="no",
            )
            children.append(self._script(at + timedelta(minutes=minutes), who, Channel.PORTAL, what))
        self.take(parent, "Elena Petrova", 3)

        def gather(number: int, now: datetime) -> None:
            for child in children:
                link(child.number, number, kind=LinkKind.CHILD_OF, **self.play.by("Elena Petrova", now))

        parent.then(13, gather)
        self.note(
            parent, "Elena Petrova", "Both lines of the branch end at the same excavator. Carrier called, ticket C-88121.", 4
        )
        self.wait(parent, "Elena Petrova", WaitingOn.SUPPLIER, "Carrier splices the fiber", 5, days=2)
        parent.then(190, lambda number, now: quietly(tickets.resume, number, **self.play.by("Elena Petrova", now)))
        self.say(parent, "Elena Petrova", "The fiber is repaired and the branch is back. Thank you for your patience.", 4)
        parent.then(
            5,
            lambda number, now: quietly(
                tickets.resolve,
                number,
                code="by_supplier",
                resolution="Fiber cut by road works, repaired by the carrier. The second line gets another way into the house.",
                **self.play.by("Elena Petrova", now),
            ),
        )
        for script in (parent, *children):
            script.then(5 * 24 * 60 if script is parent else 6 * 24 * 60, close_by_itself)

    def _restricted(self) -> None:
        """One ticket only few may see."""
        script = self._script(
            self.play.workday(2, 14.5),
            "Dmitri Volkov",
            Channel.PORTAL,
            tickets.Report(
                kind=Kind.REQUEST,
                title="Sign-in log of one account for an inquiry",
                description="For an internal inquiry I need the sign-ins of one account of the last 30 days. Please call me.",
                service="single-sign-on",
                can_work="yes",
            ),
        )
        script.then(15, lambda number, now: quietly(tickets.restrict, number, **self.play.by("Ruth Simmons", now)))
        self.take(script, "Leo Fischer", 30)
        self.note(
            script, "Leo Fischer", "Approval of the data protection officer is asked for; nothing is handed out before.", 40
        )

    def _down_now(self) -> None:
        """Account look-up is down right now: P1, announced, with the DBAs; eleven people said "same for me"."""
        begin = self.play.now - timedelta(minutes=44)
        script = self._script(
            begin,
            "Rolf Meier",
            Channel.PORTAL,
            self._lookup_report(
                "Account look-up is down",
                "I cannot open any client since a few minutes. The page turns and then says 'Service unavailable'. "
                "There is a queue at the counter.",
            ),
        )
        second = self._script(
            begin + timedelta(minutes=5),
            "Samir Aziz",
            Channel.PHONE,
            self._lookup_report(
                "Account look-up: service unavailable", "Called: nobody at Old Town can see accounts.", "Stefan Bauer"
            ),
        )
        self.take(script, "Jonas Berg", 2)
        self.say(
            script,
            "Jonas Berg",
            "Thank you, Rolf. We see it too and are on it. For balances please use core banking meanwhile.",
            2,
        )
        self.note(
            script, "Jonas Berg", "Same in all branches. Both application servers are up, every search runs into a time-out.", 3
        )
        self._announce(
            script,
            "Jonas Berg",
            "Account look-up is down",
            "No client can be opened since about a quarter of an hour, in all branches. We are working on it. "
            "Core banking is not affected: balances can be seen there.",
            2,
        )
        followers = [name for name in self.company.employees() if name not in ("Rolf Meier", "Stefan Bauer", "Maria Keller")][:11]

        def same(number: int, now: datetime) -> None:
            found = incidents.open_announcement(number)
            assert found is not None
            name = followers.pop(0)
            announcements.same_for_me(found.pk, **self.play.by(name, now, Channel.PORTAL))

        for _ in range(5):
            script.then(0.6, same)
        script.then(
            1,
            lambda number, now: link(second.number, number, kind=LinkKind.CHILD_OF, **self.play.by("Samir Aziz", now)),
        )
        self.hand_over(
            script,
            "Jonas Berg",
            "Databases",
            "Searches wait for the customer database until they time out. Looks like eight weeks ago (report generator).",
            "One application server restarted, core banking checked (fine), other branches asked (all affected).",
            2,
        )
        for _ in range(6):
            script.then(0.7, same)
        script.then(2, lambda number, now: tickets.watch(number, **self.play.by("Lena Frei", now)))
        self.take(script, "Priya Nair", 3)
        self.note(
            script,
            "Priya Nair",
            "Pool of the customer database is full, 200 of 200. 180 of them belong to the release of last night, not to REPGEN this time.",
            5,
        )
        script.then(
            2,
            lambda number, now: tickets.escalate(
                number,
                reason="All branches, counters are waiting. We may have to take back last night's release: needs a decision.",
                **self.play.by("Priya Nair", now),
            ),
        )

        def update(number: int, now: datetime) -> None:
            found = incidents.open_announcement(number)
            assert found is not None
            announcements.update(
                found.pk,
                body="The cause is narrowed down to the customer database. We decide in the next minutes how to bring it back.",
                next_update_at=now + timedelta(minutes=30),
                **self.play.by("Jonas Berg", now),
            )

        script.then(4, update)
        self._earlier(script)

    def _earlier(self, script: Script) -> None:
        """The agent finds the incident of eight weeks ago and links it."""

        def act(number: int, now: datetime) -> None:
            before = queries.visible_to(actors.engine()).filter(title="Account look-up does not start").first()
            if before is not None:
                link(number, before.pk, kind=LinkKind.RELATED, **self.play.by("Jonas Berg", now))

        script.then(1, act)
