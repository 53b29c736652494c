"""Addresses of signing in and of a person's own account."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from . import contacts, profile, security, sign_in

urlpatterns: list[URLPattern | URLResolver] = [
    path("sign-in", sign_in.sign_in, name="sign_in"),
    path("sign-in/code", sign_in.sign_in_code, name="sign_in_code"),
    path("sign-out", sign_in.sign_out, name="sign_out"),
    path("forgot", sign_in.forgot, name="forgot"),
    path("account/new-password", sign_in.new_password, name="new_password"),
    path("account/new-password/<str:ref>", sign_in.new_password_link, name="new_password_link"),
    path("profile", profile.profile, name="profile"),
    path("profile/away", profile.away, name="profile_away"),
    path("profile/told", profile.told, name="profile_told"),
    path("more", profile.more, name="more"),
    path("me/contacts", contacts.contacts, name="contacts"),
    path("me/contacts/push-key", contacts.push_key, name="contact_push_key"),
    path("me/contacts/rules", contacts.set_rules, name="contact_rules"),
    path("me/contacts/quiet", contacts.quiet, name="contact_quiet"),
    path("me/contacts/test", contacts.test, name="contact_test"),
    path("me/contacts/practice", contacts.practice, name="contact_practice"),
    path("me/contacts/<int:contact>/code", contacts.code, name="contact_code"),
    path("me/contacts/<int:contact>/verify", contacts.verify, name="contact_verify"),
    path("me/contacts/<int:contact>/remove", contacts.remove, name="contact_remove"),
    path("teams/<slug:slug>/rooms", contacts.rooms, name="team_rooms"),
    path("account/security", security.security, name="security"),
    path("account/password", security.password, name="change_password"),
    path("account/second-step", security.second_factor, name="second_factor"),
    path("account/second-step/off", security.second_factor_off, name="second_factor_off"),
    path("account/sessions/<int:session>/end", security.end_session, name="end_session"),
    path("account/sign-out-everywhere", security.sign_out_everywhere, name="sign_out_everywhere"),
    path("account/addresses", security.add_address, name="add_address"),
    path("account/addresses/<int:address>/confirm", security.change_address, {"verb": "confirm"}, name="address_confirm"),
    path("account/addresses/<int:address>/primary", security.change_address, {"verb": "primary"}, name="address_primary"),
    path("account/addresses/<int:address>/remove", security.change_address, {"verb": "remove"}, name="address_remove"),
    path("account/confirm/<str:ref>", security.confirm_address, name="confirm_address"),
    path("account/tokens", security.create_token, name="create_token"),
    path("account/tokens/<int:token>/revoke", security.revoke_token, name="revoke_token"),
]
