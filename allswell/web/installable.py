"""What makes the pages an app on a phone: its manifest, its icons, and the worker that shows pages while none is open.

They stand at fixed addresses, because browsers come back to them for ever; so they are asked for anew each day.
"""

from __future__ import annotations

import json

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, path
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from . import static_files

_ICONS = {192: "app/icon-192.png", 512: "app/icon-512.png"}
_DAY = "public, max-age=86400"


def _file(name: str, kind: str, *, cache: str) -> HttpResponse:
    file = static_files.shelf().files[static_files.url(name)]
    return HttpResponse(file.content, content_type=kind, headers={"Cache-Control": cache})


@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """The worker that shows pages sent to this browser. It may do nothing but that."""
    answer = _file("app/service-worker.js", "text/javascript; charset=utf-8", cache="no-cache")
    answer.headers["Content-Security-Policy"] = "default-src 'none'; connect-src 'self'; img-src 'self'"
    return answer


@require_safe
def icon(request: HttpRequest, size: int) -> HttpResponse:
    """The icon of the app in one of its sizes."""
    if size not in _ICONS:
        return HttpResponse(status=404)
    return _file(_ICONS[size], "image/png", cache=_DAY)


@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    """What a phone asks before it puts the desk on its home screen."""
    icons = [{"src": f"/app/icon-{size}.png", "sizes": f"{size}x{size}", "type": "image/png"} for size in _ICONS]
    said = {
        "id": "/",
        "name": "Allswell",
        "short_name": "Allswell",
        "description": _("The desk: what is open, who is on call, and the pages that wake you."),
        "lang": get_language() or "en",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#f6f8fb",
        "theme_color": "#2f59b8",
        "icons": [*icons, {**icons[-1], "purpose": "maskable"}],
    }
    answer = HttpResponse(json.dumps(said, ensure_ascii=False), content_type="application/manifest+json")
    answer.headers["Cache-Control"] = "private, max-age=86400"
    answer.headers["Vary"] = "Accept-Language, Cookie"
    return answer


urlpatterns: list[URLPattern | URLResolver] = [
    path("service-worker.js", service_worker, name="service_worker"),
    path("manifest.webmanifest", manifest, name="manifest"),
    path("app/icon-<int:size>.png", icon, name="app_icon"),
]
