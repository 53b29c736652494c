"""Addresses of the webhooks' pages."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from . import webhooks

urlpatterns: list[URLPattern | URLResolver] = [
    path("setup/webhooks", webhooks.webhooks, name="setup_webhooks"),
    path("setup/webhooks/<int:number>", webhooks.webhook, name="setup_webhook"),
    path("setup/webhooks/<int:number>/new-secret", webhooks.new_secret, name="setup_webhook_new_secret"),
    path("setup/webhooks/<int:number>/switch", webhooks.switch, name="setup_webhook_switch"),
    path("setup/webhooks/<int:number>/calls/<int:call>/redeliver", webhooks.redeliver, name="setup_webhook_redeliver"),
]
