"""A carrier calls back: what arrived, which key was pressed, what was written back; and everything that is not from a carrier."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from allswell.desk import page_links, paging
from allswell.notifications import carriers
from allswell.notifications.models import ContactMethod
from allswell.oncall.models import Page, PageDelivery, PageEvent
from allswell.people.models import Person
from allswell.web import carrier as callbacks
from tests.desk.test_paging import dba_policy, down, run, watch
from tests.support.world import World

TOKEN = "the carrier's own"


@pytest.fixture
def night(at_world_time: World, settings: Any, monkeypatch: pytest.MonkeyPatch) -> World:
    """The databases have a policy; Amir has shown his number, and there is a carrier."""
    settings.SMS_URL = settings.VOICE_URL = "twilio+https://AC1:the%20carrier's%20own@sms.example/?from=%2B15550100"
    monkeypatch.setattr(callbacks, "complaints", callbacks.Rate())
    dba_policy(at_world_time)
    number(at_world_time, at_world_time.amir, "+41790000001")
    return at_world_time


def number(world: World, person: Person, said: str, **more: Any) -> ContactMethod:
    values = {"kind": "sms", "shown": "…01", "created_at": world.now, "verified_at": world.now, **more}
    return ContactMethod.objects.create(person=person, address=said, **values)


def called(world: World, channel: str = "sms") -> tuple[Page, PageDelivery]:
    watch(world)
    page = Page.objects.filter(person=world.amir).latest("pk")
    return page, PageDelivery.objects.get_or_create(
        page=page,
        channel=channel,
        defaults={"key": f"{page.pk}-{channel}", "destination": "x", "due_at": world.now, "planned_at": world.now},
    )[0]


def address(row: PageDelivery, what: str, world: World) -> str:
    return "/carrier/" + page_links.carrier_link(row.pk, now=world.now).rpartition("/carrier/")[2] + "/" + what


def send(path: str, settings: Any, *, token: str = TOKEN, **fields: str) -> Any:
    signed = carriers.signature(token, settings.PUBLIC_URL + path, fields.items())
    return Client(enforce_csrf_checks=True).post(path, fields, headers={"x-twilio-signature": signed})


def test_what_did_not_arrive_hurries_the_next_way(night: World, settings: Any) -> None:
    down(night)
    page, row = called(night)
    later = PageDelivery.objects.create(
        page=page, channel="voice", key="later", destination="y", due_at=night.now + timedelta(minutes=3), planned_at=night.now
    )
    for said in ("queued", "sent"):
        assert send(address(row, "status", night), settings, MessageStatus=said).status_code == 200
    later.refresh_from_db()
    assert later.due_at > night.now
    PageDelivery.objects.filter(page=page).exclude(pk=later.pk).update(settled_at=night.now, outcome="sent")
    for _ in range(2):
        assert send(address(row, "status", night), settings, MessageStatus="undelivered", ErrorCode="30003").status_code == 200
    later.refresh_from_db()
    assert later.due_at == night.now
    assert PageEvent.objects.get(page=page, kind="receipt").detail == "undelivered 30003"
    send(address(row, "status", night), settings, MessageStatus="delivered")
    row.refresh_from_db()
    assert row.receipt == "delivered"


def test_four_on_the_telephone_answers(night: World, settings: Any) -> None:
    ticket = down(night)
    _, row = called(night, "voice")
    for wrong in ("", "5", "44", "x" * 500):
        send(address(row, "digits", night), settings, Digits=wrong)
        assert run(ticket).state == "running"
    answer = send(address(row, "digits", night), settings, Digits="4")
    assert answer.headers["Content-Type"].startswith("text/xml")
    assert b"Acknowledged" in answer.content
    assert run(ticket).acknowledged_by == night.amir


def test_a_text_message_answers(night: World, settings: Any) -> None:
    first, second = down(night), night.report(night.jonas, title="Slow, too", team=night.dba_team.pk, impact=1, urgency=1)
    called(night)
    mine = {"From": "+41790000001"}
    assert b"Several pages wait" in send("/carrier/sms", settings, Body="ack", **mine).content
    assert b"Write ack" in send("/carrier/sms", settings, Body="who is this?", **mine).content
    assert b"No such page" in send("/carrier/sms", settings, Body="ack 1", **mine).content
    assert b"You have it" in send("/carrier/sms", settings, Body=f"Ack INC-{first.pk}", **mine).content
    assert (run(first).state, run(second).state) == ("acknowledged", "running")
    assert b"You have it" in send("/carrier/sms", settings, Body=" ACK ", **mine).content
    assert run(second).acknowledged_by == night.amir
    assert PageEvent.objects.filter(kind="acknowledged", detail="sms").count() == 2


def test_only_ones_own_pages_are_answered_by_text_message(night: World, settings: Any) -> None:
    number(night, night.oskar, "+41790000002")
    number(night, night.priya, "+41790000003", verified_at=None)
    number(night, night.priya, "+41790000004", removed_at=night.now)
    ticket = down(night)
    called(night)
    for other in ("+41790000002", "+41790000003", "+41790000004", "+41799999999", "", "x" * 900):
        answer = send("/carrier/sms", settings, Body=f"ack {ticket.pk}", From=other)
        assert answer.status_code == 200
        assert str(ticket.pk).encode() not in answer.content
    other = night.report(night.oskar, title="Elsewhere", team=night.other_team.pk, impact=1, urgency=1)
    paging.page(other.pk, person=night.oskar.pk, **night.by(night.oskar))
    watch(night)
    send("/carrier/sms", settings, Body=f"ack {other.pk}", From="+41790000001")
    assert (run(ticket).state, run(other).state) == ("running", "running")


def test_what_no_carrier_signed_is_refused(night: World, settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    ticket = down(night)
    page, row = called(night)
    path = address(row, "digits", night)
    for _ in range(3):
        assert send(path, settings, token="guessed", Digits="4").status_code == 403
        assert Client().post(path, {"Digits": "4"}).status_code == 403
        assert send("/carrier/sms", settings, token="guessed", Body="ack", From="+41790000001").status_code == 403
    for forged in ("/carrier/x/status", path[:-8] + "0/digits", "/carrier/" + "9" * 29 + "/digits"):
        assert send(forged, settings, Digits="4").status_code == 404
    link = page_links.link(page.pk, now=night.now).rpartition("/p/")[2]
    assert send(f"/carrier/{link}/digits", settings, Digits="4").status_code == 404
    assert Client().get(path).status_code == 405
    night.forward(hours=49)
    assert send(path, settings, Digits="4").status_code == 410
    assert run(ticket).acknowledged_by is None
    assert caplog.text.count("not signed") == 1
    assert path.split("/")[2] not in caplog.text


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"x" * 30_000, "text/plain"),
        (b"\xff\xfe\x00", "application/x-www-form-urlencoded"),
        (b"--x\r\n", "multipart/form-data; boundary=x"),
        (b"--x\r\n", "multipart/form-data"),
        (b"{}", "application/json"),
    ],
)
def test_nonsense_is_refused_in_a_word(night: World, body: bytes, kind: str) -> None:
    down(night)
    _, row = called(night)
    for path in (address(row, "status", night), address(row, "digits", night), "/carrier/sms"):
        answer = Client().generic("POST", path, body, content_type=kind)
        assert 400 <= answer.status_code < 500


def test_a_word_no_carrier_says(night: World, settings: Any) -> None:
    down(night)
    _, row = called(night)
    for said in ("", "x" * 3000, "<b>", "\x01"):
        assert send(address(row, "status", night), settings, MessageStatus=said).status_code == 422


def test_without_a_carrier_there_is_nothing(night: World, settings: Any) -> None:
    settings.SMS_URL = settings.VOICE_URL = ""
    down(night)
    _, row = called(night)
    assert send("/carrier/sms", settings, Body="ack").status_code == 404
    assert send(address(row, "digits", night), settings, Digits="4").status_code == 403


def test_a_callback_sent_again_answers_nothing_anew(night: World, settings: Any) -> None:
    ticket = down(night)
    _page, row = called(night, "voice")
    said = {"From": "+41790000001", "Body": f"ack {ticket.pk}", "MessageSid": "SM0123456789"}
    pressed = {"Digits": "4", "CallSid": "CA0123456789"}
    assert b"You have it" in send("/carrier/sms", settings, **said).content
    night.forward(minutes=31)  # no word came: it calls again
    watch(night)
    assert run(ticket).state == "running"
    for _ in range(2):
        again = send("/carrier/sms", settings, **said)
        assert (again.status_code, b"You have it" in again.content) == (200, False)
    assert run(ticket).state == "running"
    assert b"Acknowledged" in send(address(row, "digits", night), settings, **pressed).content
    night.forward(minutes=31)
    watch(night)
    assert b"Acknowledged" not in send(address(row, "digits", night), settings, **pressed).content
    assert run(ticket).state == "running"
    assert b"You have it" in send("/carrier/sms", settings, **{**said, "MessageSid": "SM9999"}).content


def test_a_name_of_a_message_that_is_none_is_left_out(night: World, settings: Any) -> None:
    ticket = down(night)
    called(night)
    said = {"From": "+41790000001", "Body": f"ack {ticket.pk}", "MessageSid": "<b>" + "x" * 5000}
    assert b"You have it" in send("/carrier/sms", settings, **said).content
    assert PageEvent.objects.get(kind="acknowledged").detail == "sms"


def test_a_number_of_a_ticket_that_called_a_colleague_is_no_answer(night: World, settings: Any) -> None:
    other = night.report(night.jonas, title="Slow", team=night.dba_team.pk, impact=3, urgency=3)
    paging.page(other.pk, person=night.priya.pk, **night.by(night.jonas))
    down(night)
    called(night)
    answer = send("/carrier/sms", settings, Body=f"ack {other.pk}", From="+41790000001")
    assert b"No such page" in answer.content
    assert run(other).acknowledged_by is None
    assert b"Write ack" in send("/carrier/sms", settings, Body="ack 1042 " + "x" * 15_000, From="+41790000001").content
    assert b"No such page" in send("/carrier/sms", settings, Body="ack 999999999999", From="+41790000001").content
