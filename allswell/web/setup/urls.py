"""Addresses of setup and of people, teams and services."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, URLResolver, path

from . import (
    agreements,
    alert_sources,
    calendar_pages,
    calendars,
    csv_import,
    look_up,
    machinery,
    oncall_files,
    overview,
    people,
    services,
    teams,
    vocabulary,
    webhooks,
    what_if,
)


def _verbs(route: str, view: Callable[..., Any], name: str, *verbs: str) -> list[URLPattern]:
    """One address per verb: a POST to /…/<verb>."""
    return [path(f"{route}/{verb}", view, {"verb": verb}, name=f"{name}_{verb.replace('-', '_')}") for verb in verbs]


urlpatterns: list[URLPattern | URLResolver] = [
    path("people/", look_up.people_page, name="people"),
    path("people/<int:person>", look_up.person_page, name="person"),
    path("teams/", look_up.teams_page, name="teams"),
    path("teams/<slug:slug>", look_up.team_page, name="team"),
    path("services/", look_up.services_page, name="services"),
    path("services/<slug:slug>", look_up.service_page, name="service"),
    path("calendars/", calendar_pages.calendars_page, name="calendars"),
    path("calendars/<slug:slug>", calendar_pages.calendar_page, name="calendar"),
    path("setup/", overview.overview, name="setup"),
    path("setup/alert-sources", alert_sources.alert_sources, name="setup_alert_sources"),
    path("setup/alert-sources/<int:number>", alert_sources.alert_source, name="setup_alert_source"),
    path("setup/alert-sources/<int:number>/new-key", alert_sources.new_key, name="setup_alert_source_new_key"),
    path(
        "setup/alert-sources/<int:number>/end-former-key",
        alert_sources.end_former_key,
        name="setup_alert_source_end_former_key",
    ),
    path("setup/alert-sources/<int:number>/switch", alert_sources.switch, name="setup_alert_source_switch"),
    *_verbs("setup/alert-reports/<int:report>", alert_sources.unread_verb, "setup_unread", "read-again", "forget"),
    path("setup/machinery", machinery.machinery, name="setup_machinery"),
    path("setup/import", csv_import.import_page, name="setup_import"),
    path("setup/oncall", oncall_files.oncall_files_page, name="setup_oncall"),
    path("setup/oncall/export", oncall_files.export, name="setup_oncall_export"),
    path("setup/people", people.people_list, name="setup_people"),
    path("setup/people/new", people.new_person, name="setup_person_new"),
    path("setup/people/<int:person>", people.edit_person, name="setup_person"),
    *_verbs("setup/people/<int:person>", people.change_person, "setup_person", "activate", "deactivate", "invite"),
    *_verbs("setup/people/<int:person>", people.change_person, "setup_person", "second-step-off", "grant", "revoke"),
    *_verbs("setup/people/<int:person>", people.change_person, "setup_person", "join", "leave", "add-address"),
    *_verbs("setup/people/<int:person>/addresses/<int:address>", people.change_address, "setup_address", "primary", "remove"),
    path("setup/people/<int:person>/tokens/<int:token>/revoke", people.revoke_token, name="setup_token_revoke"),
    path("setup/roles", people.roles, name="setup_roles"),
    path("setup/teams", teams.team_list, name="setup_teams"),
    path("setup/teams/new", teams.new_team, name="setup_team_new"),
    path("setup/teams/<slug:slug>", teams.edit_team, name="setup_team"),
    *_verbs("setup/teams/<slug:slug>", teams.change_team, "setup_team", "activate", "deactivate", "join", "leave"),
    path("setup/organizations", teams.organization_list, name="setup_organizations"),
    path("setup/organizations/new", teams.new_organization, name="setup_organization_new"),
    path("setup/organizations/<slug:slug>", teams.edit_organization, name="setup_organization"),
    path("setup/organizations/<slug:slug>/priorities", teams.matrix, name="setup_matrix"),
    *_verbs("setup/organizations/<slug:slug>", teams.change_organization, "setup_organization", "activate", "deactivate"),
    path("setup/services", services.service_list, name="setup_services"),
    path("setup/services/new", services.new_service, name="setup_service_new"),
    path("setup/services/<slug:slug>", services.edit_service, name="setup_service"),
    *_verbs("setup/services/<slug:slug>", services.change_service, "setup_service", "activate", "deactivate"),
    path("setup/calendars", calendars.calendar_list, name="setup_calendars"),
    path("setup/calendars/new", calendars.new_calendar, name="setup_calendar_new"),
    path("setup/calendars/<slug:slug>", calendars.edit_calendar, name="setup_calendar"),
    *_verbs("setup/calendars/<slug:slug>", calendars.change_calendar, "setup_calendar", "activate", "deactivate"),
    path("setup/agreements", agreements.agreement_list, name="setup_agreements"),
    path("setup/agreements/new", agreements.new_agreement, name="setup_agreement_new"),
    path("setup/agreements/start", agreements.start, name="setup_agreements_start"),
    path("setup/agreements/<slug:slug>", agreements.agreement, name="setup_agreement"),
    path("setup/agreements/<slug:slug>/what-if", what_if.ask, name="setup_agreement_what_if"),
    path("setup/what-ifs/<int:job>", what_if.answer, name="setup_what_if"),
    path("setup/agreements/<slug:slug>/edit", agreements.edit_agreement, name="setup_agreement_edit"),
    *_verbs("setup/agreements/<slug:slug>", agreements.change_agreement, "setup_agreement", "earlier", "later"),
    *_verbs("setup/agreements/<slug:slug>", agreements.change_agreement, "setup_agreement", "activate", "deactivate"),
    path("setup/categories", vocabulary.category_list, name="setup_categories"),
    path("setup/categories/new", vocabulary.new_category, name="setup_category_new"),
    path("setup/categories/<int:category>", vocabulary.edit_category, name="setup_category"),
    *_verbs("setup/categories/<int:category>", vocabulary.change_category, "setup_category", "activate", "deactivate"),
    path("setup/fields", vocabulary.field_list, name="setup_fields"),
    path("setup/fields/new", vocabulary.new_field, name="setup_field_new"),
    path("setup/fields/<slug:key>", vocabulary.edit_field, name="setup_field"),
    *_verbs("setup/fields/<slug:key>", vocabulary.change_field, "setup_field", "activate", "deactivate"),
    path("setup/labels", vocabulary.labels, name="setup_labels"),
    path("setup/labels/<slug:language>", vocabulary.labels, name="setup_labels_in"),
    path("setup/webhooks", webhooks.webhooks, name="setup_webhooks"),
    path("setup/webhooks/<int:number>", webhooks.webhook, name="setup_webhook"),
    path("setup/webhooks/<int:number>/new-secret", webhooks.new_secret, name="setup_webhook_new_secret"),
    path("setup/webhooks/<int:number>/switch", webhooks.switch, name="setup_webhook_switch"),
    path("setup/webhooks/<int:number>/calls/<int:call>/redeliver", webhooks.redeliver, name="setup_webhook_redeliver"),
]
