"""Runs go on without those who lost sight of the ticket after they were called."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from allswell.kernel.actor import Actor
from allswell.oncall.operations import escalations as writing
from allswell.oncall.queries import escalations
from allswell.oncall.rules.escalating import RunState
from allswell.people.rules import Act

from . import steps

#: why a page is not sent, as its ledger says it
UNSEEN = "unseen"


def without(page_ids: Collection[int], *, actor: Actor, now: datetime) -> None:
    """Their people may not know any more what these pages are about: a run that asks nobody else now waits no longer."""
    found = [page for page in escalations.pages(page_ids) if page.closed_at is None]
    held = {run: row for run in sorted({page.escalation_id or 0 for page in found}) if (row := writing.hold(run)) is not None}
    for page in found:
        if page.person_id is None or page.ticket is None or steps.those_who_may(Act.SEE_INTERNAL, page.ticket, [page.person_id]):
            continue
        writing.note(page.pk, UNSEEN, now=now)
        writing.close_page(page, now=now)
        row = held.get(page.escalation_id or 0)
        if row is None or row.state != RunState.RUNNING.value or page.turn != row.turn - 1:
            continue
        if not escalations.is_anything_open(row.pk, turn=page.turn):
            writing.keep(row, replace(escalations.stands(row), next_at=now), now=now)
