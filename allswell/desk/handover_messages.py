"""What a page about a shift that nobody has taken says, as the handover stands when it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import translation

from allswell.notifications import handover_pages
from allswell.notifications.handover_pages import HandoverFacts
from allswell.notifications.letters import PageMessage
from allswell.notifications.page_wording import BundledPage, Reader
from allswell.oncall import queries
from allswell.people import queries as people

from . import handing

if TYPE_CHECKING:
    from allswell.oncall.models import Handover, Page


def message(page: Page, row: Handover, reader: Reader, *, key: str, link: str) -> PageMessage:
    """The message of a page, in its reader's words."""
    timer = queries.timer_of(row)
    is_incoming = page.person_id == row.incoming_id
    others = handing.others_for(row) if is_incoming and not timer.has_passed_on else []
    facts = HandoverFacts(
        key=key,
        link=link,
        urgency=page.urgency,
        rota=row.rota.name,
        outgoing=row.outgoing.name,
        incoming=row.incoming.name,
        changes_at=row.changes_at,
        is_incoming=is_incoming,
        others=tuple(people.people().filter(pk__in=others).order_by("name").values_list("name", flat=True)) if others else (),
        passes_on_at=timer.passes_on_at if others else None,
        held_until=row.held_until,
    )
    return handover_pages.message(facts, reader)


def in_a_bundle(page: Page, row: Handover, reader: Reader, *, link: str) -> BundledPage:
    """Its line in a message about many pages."""
    with translation.override(reader.locale):
        title = handover_pages.headline(row.rota.name, is_incoming=page.person_id == row.incoming_id)
    return BundledPage("", title, 1, "", link)
