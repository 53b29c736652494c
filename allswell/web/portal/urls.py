"""Addresses of the portal."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from . import home, mine, notices, reporting

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("status/", home.status, name="status"),
    path("announcements/<int:announcement>/same-for-me", home.same_for_me, name="same_for_me"),
    path("report", reporting.report, name="report"),
    path("request", reporting.need, name="need"),
    path("report/draft", reporting.draft, name="report_draft"),
    path("my/", mine.my_tickets, name="my"),
    path("my/<int:number>", mine.my_ticket, name="my_ticket"),
    path("my/<int:number>/reply", mine.reply, name="my_reply"),
    path("my/<int:number>/draft", mine.draft, name="my_draft"),
    path("my/<int:number>/reopen", mine.reopen, name="my_reopen"),
    path("my/<int:number>/confirm", mine.confirm, name="my_confirm"),
    path("my/<int:number>/rate", mine.rate, name="my_rate"),
    path("my/<int:number>/copy", mine.put_in_copy, name="my_copy"),
    path("my/<int:number>/copy/remove", mine.take_out_of_copy, name="my_copy_remove"),
    path("my/<int:number>/leave", mine.leave, name="my_leave"),
    path("profile/notices", notices.notices, name="notices"),
    path("profile/notices/read", notices.read, name="notices_read"),
]
