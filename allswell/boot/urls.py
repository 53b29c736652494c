"""Which address belongs to whom."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("api/v1/", include("allswell.api.urls")),
    path("", include("allswell.web.urls")),
]

handler400 = "allswell.web.errors.bad_request"
handler403 = "allswell.web.errors.not_allowed"
handler404 = "allswell.web.errors.not_found"
handler500 = "allswell.web.errors.broken"
