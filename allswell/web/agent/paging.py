"""Who was called for a ticket, by what, and what became of it: as a page, and as a file that is evidence."""

from __future__ import annotations

import csv
import io

from django.http import HttpResponse
from django.http.response import HttpResponseBase

from allswell.kernel.text import spreadsheet_cell
from allswell.oncall.queries import ledger
from allswell.people.rules import Act, may
from allswell.tickets import queries as tickets
from allswell.tickets.rules import reference
from allswell.web import page_words
from allswell.web.pages import PageRequest, desk_page, is_fragment, page

from .paging_card import card
from .ticket import seen_at_the_desk


@desk_page
def pages_page(request: PageRequest, number: int) -> HttpResponseBase:
    """Every run of the ticket with its pages and everything that happened to them; with HX-Request the card beside the ticket."""
    ticket = seen_at_the_desk(number, request.actor)
    if is_fragment(request):
        facts = tickets.facts(ticket, person=request.actor.person)
        return page(
            request,
            "ticket/_paging.html",
            ticket=ticket,
            paging=card(ticket),
            may_work=may(request.actor, Act.WORK, facts) and ticket.done_at is None,
        )
    return page(
        request,
        "ticket/pages.html",
        ticket=ticket,
        stories=ledger.of_ticket(number),
        said=page_words,
        most=ledger.MOST_PAGES,
        here="desk",
    )


@desk_page
def csv_file(request: PageRequest, number: int) -> HttpResponseBase:
    """The ledger as a file: one line for each thing that happened."""
    ticket = seen_at_the_desk(number, request.actor)
    written = io.StringIO()
    sheet = csv.writer(written)
    sheet.writerow(ledger.COLUMNS)
    sheet.writerows([spreadsheet_cell(cell) for cell in line] for line in ledger.lines(ledger.of_ticket(number)))
    answer = HttpResponse("\ufeff" + written.getvalue(), content_type="text/csv; charset=utf-8")
    name = f"pages-{reference(ticket.kind, ticket.pk)}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer
