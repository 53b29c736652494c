"""Addresses of being on call."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from . import board

urlpatterns: list[URLPattern | URLResolver] = [
    path("oncall/", board.board, name="oncall"),
    path("oncall/requests/<int:asked>/<slug:word>", board.answer, name="oncall_answer"),
    path("oncall/<slug:slug>/take", board.take, name="oncall_take"),
]
