"""Addresses of the desk's pages."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path, re_path

from . import acting, alarm, finding, many, opening, paging, queue, report_rows, reports, showing, talking, ticket, why, writing

urlpatterns: list[URLPattern | URLResolver] = [
    path("desk/", queue.queue_page, name="desk"),
    path("desk/filter", finding.filter_page, name="queue_filter"),
    path("desk/change", many.bulk, name="bulk"),
    path("desk/export.csv", many.export, name="export"),
    path("desk/save-view", many.save_view, name="save_view"),
    path("desk/v/<slug:slug>/remove", many.remove_view, name="remove_view"),
    path("desk/v/<slug:slug>", queue.saved_view_page, name="saved_view"),
    path("desk/<slug:slug>", queue.queue_page, name="queue"),
    path("pages", alarm.my_pages, name="my_pages"),
    path("pages/<int:number>", alarm.answer, name="my_page"),
    path("tickets/new", opening.new_ticket, name="new_ticket"),
    path("tickets/<int:number>", ticket.ticket_page, name="ticket"),
    path("tickets/<int:number>/say", talking.say, name="say"),
    path("tickets/<int:number>/mention", talking.mention, name="mention"),
    path("tickets/<int:number>/draft", writing.draft, name="draft"),
    path("tickets/<int:number>/presence", writing.presence, name="presence"),
    path("tickets/<int:number>/undo/<uuid:action>", acting.undo, name="undo"),
    path("tickets/<int:number>/why", why.why_page, name="why"),
    path("tickets/<int:number>/pages", paging.pages_page, name="ticket_pages"),
    path("tickets/<int:number>/pages.csv", paging.csv_file, name="ticket_pages_csv"),
    path("tickets/<int:number>/<slug:verb>", acting.act_page, name="act"),
    path("jobs/<int:job>", many.job_page, name="job"),
    path("jobs/<int:job>/cancel", many.job_cancel, name="job_cancel"),
    path("jobs/<int:job>/go-on", many.job_go_on, name="job_go_on"),
    path("reports", reports.overview, name="reports"),
    path("reports/mails/<int:number>/end", reports.unsubscribe, name="report_unsubscribe"),
    path("reports/<slug:name>/mail", reports.subscribe, name="report_subscribe"),
    path("reports/<slug:name>", reports.report_page, name="report_numbers"),
    path("reports/<slug:name>/card", reports.card, name="report_card"),
    path("reports/<slug:name>/rows", report_rows.rows_page, name="report_rows"),
    path("reports/<slug:name>/csv", report_rows.csv_file, name="report_csv"),
    path("styleguide", showing.styleguide, name="styleguide"),
    path("uploads", talking.upload, name="upload"),
    path("find/people", opening.find_people, name="find_people"),
    path("search", finding.search_page, name="search"),
    path("palette", finding.palette, name="palette"),
    re_path(r"^(?P<prefix>[A-Za-z]{3})-(?P<number>\d{1,12})$", ticket.by_reference, name="reference"),
]
