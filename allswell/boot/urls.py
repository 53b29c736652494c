"""Which address belongs to whom."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("api/v1/", include("allswell.api.urls")),
    path("", include("allswell.web.urls")),
]
