"""Changing many tickets, keeping views, taking rows away, drafts and presence."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client

from allswell.desk import bulk, views
from allswell.jobs.models import Job
from allswell.kernel.actor import engine
from allswell.tickets import queue
from allswell.tickets.models import SavedView, Ticket
from allswell.tickets.rules import BUILT_IN_VIEWS
from tests.support.world import World

Browser = Callable[..., Client]


def text(response: object) -> str:
    return response.content.decode()  # type: ignore[attr-defined]


def test_selected_tickets_are_tagged_in_the_background(world: World, browser: Browser) -> None:
    numbers = [world.report(title=f"Case {number}", service="printing").pk for number in range(3)]
    client = browser(world.jonas)
    form = text(client.get("/desk/change", {"n": numbers, "next": "/desk/all"}))
    assert "Do it to 3 tickets" in form
    response = client.post("/desk/change", {"n": numbers, "verb": "tag", "name_tag": "branch", "name_untag": ""})
    address = response.headers["Location"]
    assert "Waiting for the engine" in text(client.get(address))
    job = bulk.claim(actor=engine(), now=world.now)
    assert job is not None
    while bulk.run_batch(job, actor=engine(), now=world.now):
        pass
    assert "Done." in text(client.get(address))
    assert text(client.get("/desk/all?tag=branch")).count('class="tk') == 3
    assert browser(world.julia).get(address).status_code == 404


def test_all_of_a_view_is_changed_not_only_what_is_on_the_page(world: World, browser: Browser) -> None:
    numbers = [world.report(title=f"Case {number}", service="printing").pk for number in range(55)]
    world.report(title="Another matter", service="account-look-up")
    client = browser(world.jonas)
    page = text(client.get("/desk/all?service=printing"))
    address = "/desk/change?all=1&view=all&service=printing"
    assert address.replace("&", "&amp;") in page
    assert "Do it to 55 tickets" in text(client.get(address))
    job = client.post(address, {"verb": "tag", "name_tag": "paper"}).headers["Location"]
    assert Job.objects.get(pk=int(job.rsplit("/", 1)[1])).params["numbers"] == numbers


def test_a_missing_message_is_said_and_nothing_starts(world: World, browser: Browser) -> None:
    ticket = world.report()
    response = browser(world.jonas).post("/desk/change", {"n": [ticket.pk]})
    assert response.status_code == 422
    assert "Choose what to do." in text(response)


def test_a_filter_is_kept_as_a_view_and_shown_as_a_tab(world: World, browser: Browser) -> None:
    world.report(title="Paper jam", service="printing")
    world.report(title="No connection", service="account-look-up")
    client = browser(world.jonas)
    response = client.post("/desk/save-view", {"name": "Printers", "whose": "me", "service": "printing"})
    page = text(client.get(response.headers["Location"]))
    assert "Printers" in page
    assert "Paper jam" in page
    assert "No connection" not in page
    assert browser(world.julia).get(response.headers["Location"]).status_code == 404
    for taken in ("printers", "Waiting"):
        refused = client.post("/desk/save-view", {"name": taken, "whose": "me", "service": "printing"})
        assert refused.status_code == 422
        assert "is there already" in text(refused)
    client.post("/desk/v/printers/remove")
    assert not SavedView.objects.filter(is_active=True).exists()


def test_a_view_never_takes_the_address_of_a_built_in_one(world: World) -> None:
    assert set(queue._VIEWS) == BUILT_IN_VIEWS
    assert views.save("Mine", filters={"service": "printing"}, **world.by(world.jonas)).slug == "mine-2"


def test_what_is_exported_is_what_is_seen(world: World, browser: Browser) -> None:
    world.report(title="Paper jam", service="printing")
    world.report(title="=cmd()", service="printing")
    response = browser(world.jonas).get("/desk/export.csv?view=all&service=printing")
    lines = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    assert "Paper jam" in lines
    assert "'=cmd()" in lines
    assert response.headers["Content-Disposition"].startswith("attachment")
    nothing = browser(world.oskar).get("/desk/export.csv?view=all")
    assert "Paper jam" not in b"".join(nothing.streaming_content).decode()  # type: ignore[attr-defined]


def test_a_draft_is_there_on_another_machine_and_gone_once_sent(world: World, browser: Browser) -> None:
    ticket = world.report()
    browser(world.jonas).post(f"/tickets/{ticket.pk}/draft", {"place": "reply", "body": "Half a sentence"})
    elsewhere = browser(world.jonas)
    assert "Half a sentence" in text(elsewhere.get(f"/tickets/{ticket.pk}"))
    assert "Half a sentence" not in text(browser(world.julia).get(f"/tickets/{ticket.pk}"))
    elsewhere.post(f"/tickets/{ticket.pk}/say", {"place": "reply", "body": "A whole sentence"})
    assert "Half a sentence" not in text(elsewhere.get(f"/tickets/{ticket.pk}"))


def test_one_sees_who_else_is_here_and_writing(world: World, browser: Browser) -> None:
    ticket = world.report()
    browser(world.julia).post(f"/tickets/{ticket.pk}/presence", {"writing": "reply"})
    seen = text(browser(world.jonas).post(f"/tickets/{ticket.pk}/presence", {"writing": ""}))
    assert "Julia is writing a reply" in seen
    world.forward(minutes=2)
    assert "Julia" not in text(browser(world.jonas).post(f"/tickets/{ticket.pk}/presence", {"writing": ""}))
    assert browser(world.oskar).post(f"/tickets/{ticket.pk}/presence").status_code == 404


def test_what_was_just_done_can_be_taken_back(world: World, browser: Browser) -> None:
    ticket = world.report()
    client = browser(world.jonas)
    client.post(f"/tickets/{ticket.pk}/take")
    page = text(client.get(f"/tickets/{ticket.pk}"))
    undo = page.split(f'action="/tickets/{ticket.pk}/undo/')[1].split('"')[0]
    assert Ticket.objects.get(pk=ticket.pk).assignee_id == world.jonas.pk
    client.post(f"/tickets/{ticket.pk}/undo/{undo}")
    assert Ticket.objects.get(pk=ticket.pk).assignee_id is None
    assert client.post(f"/tickets/{ticket.pk}/undo/not-an-action").status_code in (404, 409)


def test_the_style_page_shows_every_part(world: World, browser: Browser) -> None:
    page = text(browser(world.jonas).get("/styleguide"))
    assert "style=" not in page
    assert "onclick" not in page
