"""Mails of a kind end by one click: for whoever holds the address, for these topics only, and there is a way back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from django.conf import LazySettings
from django.test import Client

from allswell.desk.mail import unsubscribing
from allswell.journal.models import Entry
from allswell.notifications import mail
from allswell.notifications.letters import Letter, Said
from allswell.notifications.models import Preference
from allswell.notifications.rules import CHOICES, Topic
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
