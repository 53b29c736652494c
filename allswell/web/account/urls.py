"""Addresses of signing in and of a person's own account."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from . import sign_in

urlpatterns: list[URLPattern | URLResolver] = [
    path("sign-in", sign_in.sign_in, name="sign_in"),
    path("sign-in/code", sign_in.sign_in_code, name="sign_in_code"),
    path("sign-out", sign_in.sign_out, name="sign_out"),
    path("forgot", sign_in.forgot, name="forgot"),
    path("account/new-password", sign_in.new_password, name="new_password"),
    path("account/new-password/<str:ref>", sign_in.new_password_link, name="new_password_link"),
]
