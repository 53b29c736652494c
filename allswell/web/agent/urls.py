"""Addresses of the desk's pages."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path, re_path

from . import acting, finding, opening, queue, talking, ticket

urlpatterns: list[URLPattern | URLResolver] = [
    path("desk/", queue.queue_page, name="desk"),
    path("desk/filter", finding.filter_page, name="queue_filter"),
    path("desk/v/<slug:slug>", queue.saved_view_page, name="saved_view"),
    path("desk/<slug:slug>", queue.queue_page, name="queue"),
    path("tickets/new", opening.new_ticket, name="new_ticket"),
    path("tickets/<int:number>", ticket.ticket_page, name="ticket"),
    path("tickets/<int:number>/say", talking.say, name="say"),
    path("tickets/<int:number>/undo/<slug:action>", acting.undo, name="undo"),
    path("tickets/<int:number>/<slug:verb>", acting.act_page, name="act"),
    path("uploads", talking.upload, name="upload"),
    path("find/people", opening.find_people, name="find_people"),
    path("search", finding.search_page, name="search"),
    path("palette", finding.palette, name="palette"),
    re_path(r"^(?P<prefix>[A-Za-z]{3})-(?P<number>\d{1,12})$", ticket.by_reference, name="reference"),
]
