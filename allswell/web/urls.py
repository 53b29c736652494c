"""The addresses of the pages, by audience."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("allswell.web.files")),
    path("", include("allswell.web.installable")),
    path("", include("allswell.web.shift_calendars")),
    path("", include("allswell.web.page_links")),
    path("", include("allswell.web.unsubscribing")),
    path("", include("allswell.web.carrier")),
    path("", include("allswell.web.account.urls")),
    path("", include("allswell.web.agent.announcing")),
    path("", include("allswell.web.agent.urls")),
    path("", include("allswell.web.oncall.urls")),
    path("", include("allswell.web.setup.urls")),
    path("", include("allswell.web.portal.urls")),
]
