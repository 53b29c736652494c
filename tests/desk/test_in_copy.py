"""Who asked for a ticket lets colleagues read along; nobody learns who exists elsewhere."""

from __future__ import annotations

import pytest

from allswell.desk import attachments, outbox
from allswell.desk import tickets as desk
from allswell.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from allswell.notifications.models import Delivery
from allswell.people.models import EmailAddress, Person
from allswell.tickets import queries
from allswell.tickets.models import Ticket, Watcher
from tests.support.world import World

UNKNOWN = "Nobody in your organization is known by this address."


def sees(world: World, person: Person, ticket: Ticket) -> bool:
    return queries.visible_to(world.actor(person)).filter(pk=ticket.pk).exists()


def told(person: Person) -> list[tuple[str, str]]:
    rows = Delivery.objects.filter(person=person, channel="app").select_related("entry").order_by("id")
    return [(row.topic, row.entry.verb) for row in rows if row.entry]


def test_a_colleague_reads_along_is_told_answers_and_is_taken_out(world: World) -> None:
    ticket = world.report(world.maria)
    desk.note(ticket.pk, body="Suspicious", **world.by(world.jonas))
    desk.add_participant(ticket.pk, person=" Rolf@Example.org", **world.by(world.maria))
    assert sees(world, world.rolf, ticket)
    assert not queries.may_see_internal(world.actor(world.rolf), ticket)
    desk.reply(ticket.pk, body="Looking at it", **world.by(world.jonas))
    desk.reply(ticket.pk, body="It is slow here too", **world.by(world.rolf))
    assert told(world.rolf) == [("state", "ticket.watched"), ("replied", "ticket.replied")]
    desk.remove_participant(ticket.pk, person=world.rolf.pk, **world.by(world.maria))
    assert not sees(world, world.rolf, ticket)
    with pytest.raises(NotFound):
        desk.reply(ticket.pk, body="Still", **world.by(world.rolf))
    desk.reply(ticket.pk, body="Solved soon", **world.by(world.jonas))
    assert len(told(world.rolf)) == 2
    assert not list(outbox.told(Delivery.objects.filter(person=world.rolf), world.actor(world.rolf))), "not even what waits"


def test_who_is_put_in_copy_twice_is_told_once(world: World) -> None:
    ticket = world.report(world.maria)
    for _ in range(2):
        desk.add_participant(ticket.pk, person="rolf@example.org", **world.by(world.maria))
    assert told(world.rolf) == [("state", "ticket.watched")]


@pytest.mark.parametrize(
    "who", ["of another customer", "unknown", "out of use", "only claimed", "above", "without a home", "an id"]
)
def test_nobody_learns_who_exists_elsewhere(world: World, who: str) -> None:
    ticket = world.report(world.maria)
    address = "rolf@example.org"
    match who:
        case "of another customer":
            address = "otto@example.org"
        case "unknown":
            address = "nobody@example.org"
        case "out of use":
            Person.objects.filter(pk=world.rolf.pk).update(is_active=False)
        case "only claimed":
            EmailAddress.objects.filter(person=world.rolf).update(proof="claimed")
        case "above":
            address = "julia@example.org"  # of the bank, whose branch Maria belongs to
        case "without a home":
            Person.objects.filter(pk=world.rolf.pk).update(organization=None)
    with pytest.raises(Invalid) as refused:
        desk.add_participant(ticket.pk, person=address if who != "an id" else str(world.rolf.pk), **world.by(world.maria))
    assert refused.value.field == "person"
    if who != "an id":
        assert refused.value.template == UNKNOWN
    assert not Watcher.objects.exists()


def test_only_who_asked_decides(world: World) -> None:
    clara = world._person("Clara Colleague", world.branch)
    ticket = world.report(world.maria)
    desk.add_participant(ticket.pk, person="rolf@example.org", **world.by(world.maria))
    with pytest.raises(NotAllowed):
        desk.add_participant(ticket.pk, person="clara@example.org", **world.by(world.rolf))
    desk.add_participant(ticket.pk, person="clara@example.org", **world.by(world.maria))
    with pytest.raises(NotAllowed):
        desk.remove_participant(ticket.pk, person=clara.pk, **world.by(world.rolf))
    with pytest.raises(NotFound):
        desk.add_participant(ticket.pk, person="clara@example.org", **world.by(world.otto))
    desk.remove_participant(ticket.pk, person=world.rolf.pk, **world.by(world.rolf))
    assert not sees(world, world.rolf, ticket)


def test_not_oneself_and_not_on_a_ticket_that_has_ended(world: World) -> None:
    ticket = world.report(world.maria)
    with pytest.raises(Invalid, match="somebody else"):
        desk.add_participant(ticket.pk, person="maria@example.org", **world.by(world.maria))
    desk.cancel(ticket.pk, reason="withdrawn", **world.by(world.jonas))
    with pytest.raises(Conflict):
        desk.add_participant(ticket.pk, person="rolf@example.org", **world.by(world.maria))


def test_the_desk_reaches_as_far_as_before(world: World) -> None:
    ticket = world.report(world.maria)
    desk.add_participant(ticket.pk, person=world.julia.pk, **world.by(world.jonas))
    assert Watcher.objects.get().person == world.julia


def test_files_of_the_public_conversation_only(world: World, settings: object, tmp_path: object) -> None:
    import io

    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]
    ticket = world.report(world.maria)
    public, hidden = (
        attachments.upload(io.BytesIO(b"x"), name=f"{n}.txt", content_type="text/plain", **world.by(world.jonas)) for n in "ab"
    )
    attachments.attach(ticket.pk, tokens=(public.token,), **world.by(world.jonas))
    attachments.attach(ticket.pk, tokens=(hidden.token,), is_public=False, **world.by(world.jonas))
    desk.add_participant(ticket.pk, person="rolf@example.org", **world.by(world.maria))
    rolf = world.actor(world.rolf)
    assert queries.attachment_for(public.token, rolf) is not None
    assert queries.attachment_for(hidden.token, rolf) is None
    desk.remove_participant(ticket.pk, person=world.rolf.pk, **world.by(world.maria))
    assert queries.attachment_for(public.token, world.actor(world.rolf)) is None
