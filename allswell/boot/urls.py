"""Which address belongs to whom. Everything below /api/ is answered before, by `allswell.api.front.ApiMiddleware`."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("", include("allswell.web.urls")),
]

handler400 = "allswell.web.errors.bad_request"
handler403 = "allswell.web.errors.not_allowed"
handler404 = "allswell.web.errors.not_found"
handler500 = "allswell.web.errors.broken"
