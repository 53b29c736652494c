"""Mails of a kind end by one click: for whoever holds the address, for these topics only, and there is a way back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from email.message import EmailMessage
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from allswell.desk import report_mails
from allswell.desk.mail import unsubscribing
from allswell.journal.models import Entry
from allswell.journal.rules import Verb
from allswell.kernel.actor import engine
from allswell.notifications import mail
from allswell.notifications.letters import Letter, Said
from allswell.notifications.models import Preference
from allswell.notifications.rules import CHOICES, Topic
from allswell.reporting import telling, wording
from allswell.reporting.models import Subscription
from tests.support.post import Post
from tests.support.responders import Exchange
from tests.support.world import World

Browser = Callable[..., Client]


def path(world: World, *topics: Topic) -> str:
    return "/unsubscribe/" + unsubscribing.link(world.maria.pk, topics or (Topic.ANNOUNCED,)).rpartition("/")[2]


def said(world: World) -> set[tuple[str, str, bool]]:
    return set(Preference.objects.filter(person=world.maria).values_list("topic", "channel", "is_wanted"))


def test_looking_changes_nothing_and_a_click_ends_them(world: World) -> None:
    address, nobody = path(world, Topic.ANNOUNCED, Topic.WATCHED), Client(enforce_csrf_checks=True)
    asked = nobody.get(address)
    assert asked.status_code == 200
    assert "End these mails" in asked.content.decode()
    assert asked.headers["Referrer-Policy"] == "no-referrer"
    assert not said(world)
    done = nobody.post(address, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded")
    assert done.status_code == 200
    assert said(world) == {("announced", "email", False)}, "what is told by mail only where one asked for it stays as it is"
    entry = Entry.objects.latest("pk")
    assert entry.person_id == world.maria.pk
    assert entry.data == {"preferences": {"announced.email": False}}
    assert nobody.post(address).status_code == 200, "twice is once"
    assert nobody.post(address, {"again": "1"}).status_code == 200
    assert ("announced", "email", True) in said(world)


def test_the_page_speaks_the_language_of_the_reader(world: World) -> None:
    world.maria.locale = "de"
    world.maria.save()
    assert "Keine Mails dieser Art mehr?" in Client().get(path(world)).content.decode()


@pytest.mark.parametrize(
    "change", [lambda t: t[:-1], lambda t: "B" + t[1:], lambda t: t + "A", lambda t: "é" * 26, lambda t: "x"]
)
def test_no_other_address_opens_anything(world: World, change: Callable[[str], str]) -> None:
    token = path(world).rpartition("/")[2]
    answer = Client().post("/unsubscribe/" + change(token))
    assert answer.status_code == 404
    assert not said(world)


def test_an_old_mail_still_ends_them_after_a_change_of_keys(world: World, settings: LazySettings) -> None:
    address = path(world)
    former, settings.SECRET_KEY = settings.SECRET_KEY, "another-secret-key-of-this-installation"
    assert Client().post(address).status_code == 404
    settings.SECRET_KEY_FALLBACKS = [former]
    assert Client().post(address).status_code == 200


def click(mail: EmailMessage, body: str = "List-Unsubscribe=One-Click") -> Any:
    """What a mail program does: the body of the standard to the address of the header, without cookies."""
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    return Client(enforce_csrf_checks=True).post(where(mail), body, content_type="application/x-www-form-urlencoded")


def where(mail: EmailMessage) -> str:
    return "/unsubscribe/" + str(mail["List-Unsubscribe"]).strip("<>").rpartition("/")[2]


class Monday:
    """Reports that Jonas and Olga get every week, and the engine that sends them."""

    def __init__(self, world: World, patch: pytest.MonkeyPatch) -> None:
        self.world, self.exchange = world, Exchange(Post(world), patch, {})
        for person, name in ((world.jonas, "teams"), (world.jonas, "attainment"), (world.olga, "teams")):
            asked = telling.asked(name, {}, zone="UTC", now=world.now)
            report_mails.subscribe(name, asked, every="week", **world.by(person))

    def mails(self) -> dict[tuple[str, str], EmailMessage]:
        """The mails of the next Monday, by reader and report."""
        self.world.now = Subscription.objects.order_by("next_at").first().next_at  # type: ignore[union-attr]
        before = len(self.exchange.sent)
        report_mails.send_due(limit=10, actor=engine(), now=self.world.now)
        self.exchange.settle()
        names = {"Service levels": "attainment"}
        sent = self.exchange.sent[before:]
        return {(str(one["To"]).partition(" ")[0].strip('"'), names.get(str(one["Subject"])[:14], "teams")): one for one in sent}


@pytest.fixture
def monday(world: World, monkeypatch: pytest.MonkeyPatch) -> Monday:
    return Monday(world, monkeypatch)


def test_one_click_ends_the_report_it_came_with_and_no_other(world: World, monday: Monday) -> None:
    first = monday.mails()
    assert set(first) == {("Jonas", "teams"), ("Jonas", "attainment"), ("Olga", "teams")}
    mail = first["Jonas", "teams"]
    link = str(mail["List-Unsubscribe"]).strip("<>")
    for kind in ("plain", "html"):
        assert link in mail.get_body((kind,)).get_content().replace("=\n", ""), "who sees no button has the link"  # type: ignore[union-attr]
    answer = click(mail)
    assert (answer.status_code, "This report has ended" in answer.content.decode()) == (200, True)
    assert set(monday.mails()) == {("Jonas", "attainment"), ("Olga", "teams")}
    entry = Entry.objects.filter(verb=Verb.REMOVED, about_kind="subscription").latest("pk")
    assert (entry.person_id, entry.channel) == (world.jonas.pk, "email")
    assert click(mail).status_code == 200, "twice is once"
    assert click(mail, "again=1").status_code == 200
    assert Subscription.objects.count() == 2


def test_looking_at_the_address_of_a_report_ends_nothing(world: World, monday: Monday) -> None:
    mail = monday.mails()["Olga", "teams"]
    shown = Client().get(where(mail))
    assert (shown.status_code, shown.headers["Referrer-Policy"]) == (200, "no-referrer")
    for words in ("No longer this report by mail?", "End this report", wording.title("teams")):
        assert words in shown.content.decode()
    assert Subscription.objects.count() == 3
    click(mail)
    assert "End this report" not in Client().get(where(mail)).content.decode()


def test_the_address_of_a_report_is_of_no_use_for_another(world: World, monday: Monday) -> None:
    monday.mails()
    mine, hers = (Subscription.objects.filter(person=person).first() for person in (world.jonas, world.olga))
    assert mine is not None
    assert hers is not None
    foreign = unsubscribing.report_link(world.jonas.pk, hers.pk).rpartition("/")[2]
    assert Client().post(f"/unsubscribe/{foreign}").status_code == 200  # as one that has ended: it tells nothing
    token = unsubscribing.report_link(world.jonas.pk, mine.pk).rpartition("/")[2]
    for forged in (token[:-1], token[:-1] + ("A" if token[-1] != "A" else "B"), token[:9] + "x" + token[10:], token + token):
        assert Client().post(f"/unsubscribe/{forged}").status_code == 404
    assert Subscription.objects.count() == 3


def test_who_is_not_covered_is_told_each_monday_until_one_click(world: World) -> None:
    link = unsubscribing.link(world.lena.pk, (Topic.UNCOVERED,))
    assert Client().post("/unsubscribe/" + link.rpartition("/")[2]).status_code == 200
    assert Preference.objects.filter(person=world.lena, topic="uncovered", channel="email", is_wanted=False).exists()


def letter(topic: Topic, unsubscribe: str, now: datetime) -> Letter:
    told = Said(topic, "", "", now, facts={"title": "News"})
    return Letter("k", "Maria", "maria@example.org", "en", "UTC", ((None, (told,)),), unsubscribe=unsubscribe)


def test_only_notices_carry_it(world: World, settings: LazySettings) -> None:
    settings.PUBLIC_URL = "https://" + "a-long-name-of-a-service-desk." * 4 + "example.org"
    link = unsubscribing.link(world.maria.pk, (Topic.ANNOUNCED,))
    written = mail.message(
        letter(Topic.ANNOUNCED, link, world.now), sender="d@e.org", public_url=settings.PUBLIC_URL, now=world.now
    )
    assert f"List-Unsubscribe: <{link}>\r\n".encode() in written.as_bytes()
    assert written["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    for topic in (Topic.RECEIVED, Topic.REPLIED, Topic.STATE, Topic.ASSIGNED, Topic.ACCOUNT, Topic.BLIND, Topic.HANDOVER):
        assert unsubscribing.link(world.maria.pk, (topic,)) == ""
    assert unsubscribing.link(world.maria.pk, (Topic.ANNOUNCED, Topic.REPLIED)) == ""
    assert unsubscribing.link(world.maria.pk, ()) == ""
    assert all((topic.value, "email") in CHOICES for topic in unsubscribing.ONE_CLICK)
