"""Every verb of the desk against who may not use it: auditors write nothing, requesters do not work, strangers find nothing."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from allswell.desk import attachments
from allswell.desk import tickets as desk
from allswell.journal.models import Entry
from allswell.kernel.errors import DeskError, NotAllowed, NotFound
from allswell.tickets.rules import Kind, LinkKind, WaitingOn
from tests.support.world import World

VERBS: dict[str, dict[str, Any]] = {
    "assign": {"person": None},
    "cancel": {"reason": "mistake"},
    "close": {},
    "edit": {"changes": {"title": "Mine now"}},
    "escalate": {"reason": "Now"},
    "hand_over": {"team": 1, "reason": "Not ours"},
    "link": {"kind": LinkKind.RELATED, "target": 1},
    "merge": {"into": 1},
    "name_people": {"people": []},
    "note": {"body": "Internal"},
    "override_priority": {"priority": 1, "reason": "Now"},
    "refile": {"kind": Kind.REQUEST},
    "resolve": {},
    "restore": {},
    "restrict": {},
    "resume": {},
    "split": {"comment": 1, "title": "Other"},
    "tag": {"name": "x"},
    "take": {},
    "unlink": {"kind": LinkKind.RELATED, "target": 1},
    "unmerge": {},
    "unname_person": {"person": 1},
    "unrestrict": {},
    "untag": {"name": "x"},
    "unwatch": {},
    "wait": {"on": WaitingOn.SUPPLIER},
    "watch": {},
}
OF_REQUESTERS: dict[str, dict[str, Any]] = {
    "add_participant": {"person": "rolf@example.org"},
    "remove_participant": {"person": 1},
    "confirm": {},
    "follow_up": {"description": "Again"},
    "rate": {"score": 5},
    "reopen": {},
    "reply": {"body": "Hello"},
}
NOT_OF_A_TICKET = {"BY_HAND", "EDITABLE", "Report", "matrix_for", "report", "undo"}


def test_every_verb_is_tried() -> None:
    named = {name for name in desk.__all__ if name.islower() and callable(getattr(desk, name))}
    assert named - NOT_OF_A_TICKET == VERBS.keys() | OF_REQUESTERS.keys()


@pytest.mark.parametrize("verb", sorted(VERBS | OF_REQUESTERS))
def test_who_may_not(world: World, verb: str) -> None:
    ticket = world.report()
    written = Entry.objects.count()
    act, given = getattr(desk, verb), (VERBS | OF_REQUESTERS)[verb]
    with pytest.raises(NotAllowed):
        act(ticket.pk, **given, **world.by(world.audrey))
    for stranger in (world.rolf, world.otto, world.oskar, world.ada):
        with pytest.raises(NotFound):
            act(ticket.pk, **given, **world.by(stranger))
    if verb in VERBS:
        with pytest.raises(NotAllowed):
            act(ticket.pk, **given, **world.by(world.maria))
    assert Entry.objects.count() == written


def test_the_rest(world: World) -> None:
    ticket = world.report()
    with pytest.raises(NotFound):
        desk.undo(ticket.pk, action=uuid.uuid4(), **world.by(world.otto))
    with pytest.raises(NotFound):
        attachments.attach(ticket.pk, tokens=("x",), **world.by(world.otto))
    with pytest.raises(DeskError):
        world.report(world.audrey, requester=world.maria.pk)
