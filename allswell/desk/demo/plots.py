"""The everyday tickets of the demo."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from allswell.desk import tickets
from allswell.kernel import actor as actors
from allswell.kernel.actor import Channel
from allswell.services import queries as services
from allswell.tickets.rules import Kind, WaitingOn

from .scripts import Pen, Script, close_by_itself, quietly

if TYPE_CHECKING:
    from .play import Play
    from .texts import Story

COMPLAINTS = (
    "I am sorry, but it is back since this morning, exactly as before.",
    "It worked for an hour. Now I have the same again.",
    "For me yes, for my colleague at the next desk it still does not work.",
)
THANKS = (
    "Perfect, thank you.",
    "Works. That was quick, thank you!",
    "Thank you, all fine again.",
    "Great, I can work again.",
)
PRAISE = ("Quick and friendly.", "", "", "Very well explained.", "Solved at the first call.", "")
BLAME = ("Took too long.", "I had to ask twice.", "")
FIRST_WORDS = (
    "Thank you for telling us. I am looking at it now.",
    "Got it, thank you. I will write as soon as I know more.",
    "I have taken this over and start with it right away.",
    "Thank you. I look into it and come back to you today.",
)
URGING = (
    "The branch manager called twice, several clients are waiting. We need a decision who works on this first.",
    "No progress for hours and the end of day depends on it. Please decide whether we call the supplier out.",
    "Second time this week. The business asks what we do about it.",
)
WITHDRAWN = "It works again by itself, please ignore this."


def _still_open(age: timedelta) -> float:
    """How likely somebody is still at a ticket of this age. A desk that keeps its promises has few old ones."""
    days = age / timedelta(days=1)
    return next((share for limit, share in ((1.5, 0.85), (3, 0.5), (6, 0.12), (15, 0.03)) if days < limit), 0.004)


class Everyday(Pen):
    """Writes the scripts of tickets as any other."""

    def __init__(self, play: Play) -> None:
        super().__init__(play)
        self._teams = {row.pk: row.team.name for row in services.services().select_related("team") if row.team}

    # everyday

    def enter_story(self, story: Story, opened_at: datetime, *, is_repeated: bool) -> None:
        """A ticket as any other: reported, taken, asked about, handed over, solved, confirmed or reopened, closed.

        What hits many does not happen every week: most repetitions hit one person only.
        """
        requester = self.rng.choice(self.company.employees())
        story = self.play.told(story, first=requester.split()[0], home=self.company.homes[requester])
        if story.affected is None or (is_repeated and self.rng.random() < 0.8):
            story = replace(story, affected=1)
        script = Script(is_urgent=story.channel == "monitoring" or (story.can_work == "no" and (story.affected or 0) > 30))
        team = self._teams.get(self.company.services[story.service], "Service desk")
        self._open(script, story, requester)
        fate = self.rng.random()
        if fate < 0.04 and not script.is_urgent:
            self._withdraw(script, team, requester)
        else:
            self._work(script, story, team, requester)
            if self.rng.random() < _still_open(self.play.now - opened_at):
                waits = [place + 1 for place in script.waits]
                told = script.told or 2
                ends = waits or range(told, max(told + 1, len(script.acts) - 3))
                del script.acts[self.rng.choice(list(ends)) :]
        self.play.enter(script, opened_at)

    def _open(self, script: Script, story: Story, requester: str) -> None:
        play, by_phone = self.play, self.rng.random() < 0.22
        clerk = play.member("Service desk")
        is_monitoring = story.channel == "monitoring"

        def act(_: int, now: datetime) -> None:
            what = tickets.Report(
                kind=story.kind,
                title=story.title,
                description=story.tells,
                requester=None if is_monitoring else play.key(requester),
                service=self.company.services[story.service],
                people_affected=story.affected,
                can_work=story.can_work,
            )
            if is_monitoring:
                script.number = tickets.report(what, actor=actors.engine().via(Channel.MONITORING), now=now).pk
            elif by_phone:
                script.number = tickets.report(what, **play.by(clerk, now, Channel.PHONE)).pk
            else:
                script.number = tickets.report(what, **play.by(requester, now, Channel.PORTAL)).pk

        script.then(0, act)

    def _work(self, script: Script, story: Story, team: str, requester: str) -> None:
        rng, is_monitoring = self.rng, story.channel == "monitoring"
        who = self.play.member(team)
        self.take(script, who, rng.uniform(2, 25) if script.is_urgent else rng.expovariate(1 / 35) + 2)
        for tag in story.tags[: rng.randint(0, 2)]:
            self.do(script, tickets.tag, who, 1, name=tag)
        if story.ask and not is_monitoring:
            self.say(script, who, story.ask, rng.uniform(2, 20))
            if rng.random() < 0.7:
                self.wait(script, who, WaitingOn.REQUESTER, "", 1)
            self.say(script, requester, story.answer, rng.expovariate(1 / 120) + 5, Channel.PORTAL)
        elif not is_monitoring and rng.random() < 0.85:
            self.say(script, who, rng.choice(FIRST_WORDS), rng.uniform(1, 12))
        script.told = len(script.acts)
        if story.note:
            self.note(script, who, story.note, rng.uniform(4, 40))
        if rng.random() < 0.05 or (story.can_work == "no" and rng.random() < 0.12):
            self.do(script, tickets.escalate, who, rng.uniform(20, 90), reason=rng.choice(URGING))
        if story.team and story.team != team:
            who = self._elsewhere(script, story, who)
        if story.wait:
            self.wait(script, who, WaitingOn(story.wait), story.wait_reason, rng.uniform(5, 40), days=rng.uniform(2, 9))
            self.do(script, tickets.resume, who, rng.uniform(180, 2900))
        if story.found:
            self.note(script, who, story.found, rng.expovariate(1 / 200) + 15)
        if story.kind is Kind.INCIDENT and rng.random() < 0.3:
            self.do(script, tickets.restore, who, rng.uniform(2, 30))
        self._solve(script, story, who, requester)

    def _elsewhere(self, script: Script, story: Story, who: str) -> str:
        """It goes to who has the skill, seldom by a detour; returns who has it then."""
        rng = self.rng
        if rng.random() < 0.07:
            wrong = rng.choice([name for name in self.company.teams if name not in (story.team, "Service desk")])
            stranger = self.play.member(wrong)
            self.hand_over(script, who, wrong, story.why, story.tried, rng.uniform(5, 60))
            self.hand_over(
                script,
                stranger,
                "Service desk",
                f"Nothing of ours in this. {story.team} should look at it.",
                "",
                rng.uniform(30, 300),
            )
            self.take(script, who, rng.uniform(10, 60))
        self.hand_over(script, who, story.team, story.why, story.tried, rng.uniform(5, 60))
        specialist = self.play.member(story.team)
        self.take(script, specialist, rng.expovariate(1 / 80) + 3)
        return specialist

    def _solve(self, script: Script, story: Story, who: str, requester: str) -> None:
        rng, is_monitoring = self.rng, story.channel == "monitoring"

        def resolve(number: int, now: datetime) -> None:
            quietly(tickets.resolve, number, code=story.code, resolution=story.fix, **self.play.by(who, now))

        if not is_monitoring:
            self.say(script, who, story.says, rng.expovariate(1 / 90) + 5)
        script.then(rng.uniform(1, 6), resolve)
        if not is_monitoring and rng.random() < 0.07:
            reason = rng.choice(COMPLAINTS)
            script.then(
                rng.uniform(60, 2000),
                lambda number, now: quietly(
                    tickets.reopen, number, reason=reason, **self.play.by(requester, now, Channel.PORTAL)
                ),
            )
            self.say(script, who, "I am sorry about that. I look at it again at once.", rng.uniform(5, 60))
            self.note(script, who, "Same cause, the correction had reached only a part. Now everywhere.", rng.uniform(30, 200))
            script.then(rng.uniform(10, 60), resolve)
        self._end(script, requester if not is_monitoring else "")

    def _end(self, script: Script, requester: str) -> None:
        rng = self.rng
        if requester and rng.random() < 0.34:
            self.say(script, requester, rng.choice(THANKS), rng.uniform(5, 300), Channel.PORTAL)
            script.then(1, lambda number, now: quietly(tickets.confirm, number, **self.play.by(requester, now, Channel.PORTAL)))
            if rng.random() < 0.75:
                score = rng.choices((5, 4, 3, 2, 1), (48, 28, 12, 8, 4))[0]
                comment = rng.choice(PRAISE if score > 3 else BLAME)
                script.then(
                    1,
                    lambda number, now: quietly(
                        tickets.rate, number, score=score, comment=comment, **self.play.by(requester, now, Channel.PORTAL)
                    ),
                )
        else:
            script.then(5 * 24 * 60, close_by_itself)

    def _withdraw(self, script: Script, team: str, requester: str) -> None:
        who = self.play.member(team)
        self.say(script, requester, WITHDRAWN, self.rng.uniform(8, 50), Channel.PORTAL)
        script.then(
            self.rng.uniform(3, 40),
            lambda number, now: quietly(tickets.cancel, number, reason="withdrawn", **self.play.by(who, now)),
        )
