"""Addresses of being on call. Those of a rota end with a slash or go on, so that no rota's name hides `me` or `new`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from . import asking, board, coverage, edit, handovers, leave_file, mine, policies, policy_edit, replay, rota, simulate

urlpatterns: list[URLPattern | URLResolver] = [
    path("oncall/", board.board, name="oncall"),
    path("oncall/new", edit.new, name="oncall_new"),
    path("oncall/simulate", simulate.simulate, name="oncall_simulate"),
    path("oncall/replay", replay.replay, name="oncall_replay"),
    path("oncall/coverage", coverage.coverage, name="oncall_coverage"),
    path("oncall/me", mine.me, name="oncall_me"),
    path("oncall/me/leave", mine.leave, name="oncall_leave"),
    path("oncall/me/leave/file", leave_file.leave_file, name="oncall_leave_file"),
    path("oncall/me/leave/<int:leave>/cancel", mine.leave_cancel, name="oncall_leave_cancel"),
    path("oncall/me/calendar", mine.calendar, name="oncall_calendar"),
    path("oncall/me/calendar/<int:link>/end", mine.calendar_end, name="oncall_calendar_end"),
    path("oncall/requests/<int:asked>/<slug:word>", board.answer, name="oncall_answer"),
    path("oncall/policies", policies.policies_page, name="policies"),
    path("oncall/policies/new", policy_edit.new, name="policy_new"),
    path("oncall/policies/<slug:slug>/", policies.policy, name="policy"),
    path("oncall/policies/<slug:slug>/edit", policy_edit.change, name="policy_edit"),
    path("oncall/policies/<slug:slug>/activate", policies.activate, name="policy_activate"),
    path("oncall/policies/<slug:slug>/deactivate", policies.deactivate, name="policy_deactivate"),
    path("teams/<slug:slug>/policy", policies.team_policy, name="team_policy"),
    path("services/<slug:slug>/policy", policies.service_policy, name="service_policy"),
    path("oncall/handovers/<int:handover>", handovers.handover, name="oncall_handover"),
    path("oncall/handovers/<int:handover>/write", handovers.write, name="oncall_handover_write"),
    path("oncall/handovers/<int:handover>/accept", handovers.accept, name="oncall_handover_accept"),
    path("oncall/<slug:slug>/handovers", handovers.of_rota, name="oncall_handovers"),
    path("oncall/<slug:slug>/", rota.rota, name="oncall_rota"),
    path("oncall/<slug:slug>/edit", edit.edit, name="oncall_edit"),
    path("oncall/<slug:slug>/take", board.take, name="oncall_take"),
    path("oncall/<slug:slug>/ask", asking.ask, name="oncall_ask"),
    path("oncall/<slug:slug>/override", rota.override, name="oncall_override"),
    path("oncall/<slug:slug>/overrides/<int:override>/cancel", rota.override_cancel, name="oncall_override_cancel"),
    path("oncall/<slug:slug>/activate", rota.activate, name="oncall_activate"),
    path("oncall/<slug:slug>/deactivate", rota.deactivate, name="oncall_deactivate"),
]
