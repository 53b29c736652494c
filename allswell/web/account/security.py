"""What protects one's account: password, second step, sessions, addresses, tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote

from allauth.mfa.totp.internal.auth import generate_totp_secret
from cryptography.fernet import InvalidToken
from django.contrib.auth import update_session_auth_hash
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_
from django.views.decorators.http import require_http_methods, require_POST
from qrcode.main import QRCode

from allswell.desk import people as desk_people
from allswell.desk import sign_in as desk
from allswell.desk.sealing import seal, unseal
from allswell.kernel.errors import DeskError, Invalid
from allswell.kernel.sealed import row_of
from allswell.people import queries as people
from allswell.people.rules import TokenScope
from allswell.web import inputs
from allswell.web.pages import PageRequest, SeeOther, field_errors, page, signed_in, toast

from . import browsers

_SECRET = "second_factor_secret"
PLACE = "/account/security"
SCOPES = {
    "all": N_("Everything you may do"),
    "tickets:read": N_("Read tickets"),
    "tickets:write": N_("Work on tickets"),
    "people:read": N_("Read people, teams and organizations"),
    "people:write": N_("Change people, teams and organizations"),
    "services:read": N_("Read services"),
    "setup:write": N_("Change services and other setup"),
    "webhooks:write": N_("Change webhooks"),
}


def _show(request: PageRequest, *, status: int = 200, **more: Any) -> HttpResponse:
    values: dict[str, Any] = {
        "sessions": people.sessions(request.person.pk),
        "browser_named": browsers.named,
        "this_session": row_of(request.session.session_key or ""),
        "has_second_factor": people.has_second_factor(request.person.pk),
        "codes_left": people.recovery_codes_left(request.person.pk),
        "addresses": people.addresses(request.person.pk),
        "tokens": people.tokens(request.person.pk).filter(revoked_at__isnull=True),
        "scopes": [(scope.value, _(SCOPES.get(scope.value, scope.value))) for scope in TokenScope],
        "sent": request.POST,
        **more,
    }
    return page(request, "account/security.html", status=status, here="profile", **values)


@require_http_methods(["GET"])
@signed_in
def security(request: PageRequest) -> HttpResponse:
    """Password, second step, sessions, addresses, tokens."""
    return _show(request)


def _password_again(request: PageRequest) -> None:
    if not desk.is_password_of(request.actor, request.POST.get("current", "")[:1024]):
        raise Invalid("This is not your present password.", field="current")


@require_POST
@signed_in
def password(request: PageRequest) -> HttpResponse:
    """Change the password; every other session ends, this one gets a new key."""
    try:
        desk.count_password_check(actor=request.actor, now=request.now)
        _password_again(request)
        chosen = request.POST.get("password", "")
        if chosen != request.POST.get("again", ""):
            raise Invalid("The two are not the same.", field="again")
        person = desk_people.set_password(
            request.person.pk,
            password_hash=desk_people.hash_of(chosen, person=request.person),
            keep_session=request.session.session_key or "",
            actor=request.actor,
            now=request.now,
        )
    except DeskError as error:
        return _show(request, status=error.http, errors=field_errors(error))
    before = request.session.session_key or ""
    update_session_auth_hash(request, person)
    desk.session_renewed(before=before, after=request.session.session_key or "", actor=request.actor, now=request.now)
    toast(request, _("Your password is changed. Everywhere else you are signed out."))
    return SeeOther(PLACE)


# second step


def _squares(text: str) -> tuple[int, str]:
    """A QR code as the side of its square and an SVG path."""
    code: Any = QRCode(border=4)
    code.add_data(text)
    code.make(fit=True)
    rows = code.get_matrix()
    path = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, is_dark in enumerate(row) if is_dark)
    return len(rows), path


def _seed(request: PageRequest) -> str:
    """The seed that is offered until a code of it was right; sealed in the session, which lies in the database."""
    if kept := request.session.get(_SECRET):
        try:
            return unseal(kept)
        except InvalidToken:
            pass
    seed: str = generate_totp_secret()
    request.session[_SECRET] = seal(seed)
    return seed


@require_http_methods(["GET", "POST"])
@signed_in
def second_factor(request: PageRequest) -> HttpResponse:
    """Turn the second step on: scan, enter a code, keep the recovery codes."""
    if people.has_second_factor(request.person.pk):
        return SeeOther(PLACE)
    secret = _seed(request)
    errors: dict[str, str] = {}
    if request.method == "POST":
        try:
            desk.count_password_check(actor=request.actor, now=request.now)
            _password_again(request)
            codes = desk.turn_on_second_factor(
                secret=secret, code=request.POST.get("code", "")[:20], actor=request.actor, now=request.now
            )
        except DeskError as error:
            errors = field_errors(error)
        else:
            del request.session[_SECRET]
            return page(request, "account/recovery_codes.html", codes=codes, here="profile")
    label = people.primary_addresses([request.person.pk]).get(request.person.pk, request.person.name)
    side, path = _squares(f"otpauth://totp/{quote('Allswell:' + label)}?secret={secret}&issuer=Allswell")
    context: dict[str, Any] = {"secret": secret, "side": side, "path": path, "errors": errors, "here": "profile"}
    return page(request, "account/second_factor.html", status=422 if errors else 200, **context)


@require_POST
@signed_in
def second_factor_off(request: PageRequest) -> HttpResponse:
    """Turn the second step off."""
    try:
        desk.count_password_check(actor=request.actor, now=request.now)
        _password_again(request)
    except DeskError as error:
        return _show(request, status=error.http, errors={"current_off": field_errors(error).get("current", str(error))})
    desk.turn_off_second_factor(request.person.pk, actor=request.actor, now=request.now)
    toast(request, _("From now on, your password alone signs you in."))
    return SeeOther(PLACE)


# sessions


@require_POST
@signed_in
def end_session(request: PageRequest, session: int) -> HttpResponse:
    """Sign out somewhere else."""
    desk.end_session(session, keep=request.session.session_key or "", actor=request.actor, now=request.now)
    toast(request, _("That session is over."))
    return SeeOther(PLACE)


@require_POST
@signed_in
def sign_out_everywhere(request: PageRequest) -> HttpResponse:
    """Sign out everywhere else."""
    desk.sign_out_everywhere(keep=request.session.session_key or "", actor=request.actor, now=request.now)
    toast(request, _("You are signed out everywhere else."))
    return SeeOther(PLACE)


# addresses


@require_POST
@signed_in
def add_address(request: PageRequest) -> HttpResponse:
    """Another address of one's own; it counts once the link sent to it was opened."""
    try:
        row = desk_people.add_address(
            request.person.pk, email=request.POST.get("email", ""), actor=request.actor, now=request.now
        )
        desk.ask_confirmation(row.pk, actor=request.actor, now=request.now)
    except DeskError as error:
        return _show(request, status=error.http, errors=field_errors(error))
    toast(request, _("A link was sent to %(address)s. Open it to confirm the address.") % {"address": row.address})
    return SeeOther(PLACE)


@require_POST
@signed_in
def change_address(request: PageRequest, address: int, verb: str) -> HttpResponse:
    """Confirm (sends a link), use for mail, or remove one of one's addresses."""
    if verb == "confirm":
        desk.ask_confirmation(address, actor=request.actor, now=request.now)
        toast(request, _("A link was sent. Open it to confirm the address."))
    elif verb == "primary":
        desk_people.make_primary(address, actor=request.actor, now=request.now)
        toast(request, _("Mail goes to this address from now on."))
    else:
        desk_people.remove_address(address, actor=request.actor, now=request.now)
        toast(request, _("The address is removed."))
    return SeeOther(PLACE)


@require_http_methods(["GET", "POST"])
@signed_in
def confirm_address(request: PageRequest, ref: str) -> HttpResponse:
    """The link in the mail; the click on the button confirms, so that no mail scanner does."""
    link = people.sent_link(ref, kind="address", now=request.now)
    if link is None or link.person_id != request.person.pk or link.address is None:
        return page(request, "account/link_dead.html", status=404)
    if request.method == "GET":
        return page(request, "account/confirm_address.html", address=link.address.address, ref=ref)
    desk.confirm_address(ref, actor=request.actor, now=request.now)
    toast(request, _("The address is confirmed."))
    return SeeOther(PLACE)


# tokens


@require_POST
@signed_in
def create_token(request: PageRequest) -> HttpResponse:
    """A token of one's own; its secret is shown this once."""
    try:
        days = inputs.number(request.POST, "days") or 365
        token, secret = desk_people.create_token(
            request.person.pk,
            name=request.POST.get("name", ""),
            scopes=request.POST.getlist("scopes"),
            expires_at=request.now + timedelta(days=min(days, 3650)),
            actor=request.actor,
            now=request.now,
        )
    except DeskError as error:
        return _show(request, status=error.http, errors=field_errors(error))
    return page(request, "account/token.html", token=token, secret=secret, here="profile")


@require_POST
@signed_in
def revoke_token(request: PageRequest, token: int) -> HttpResponse:
    """End a token."""
    desk_people.revoke_token(token, actor=request.actor, now=request.now)
    toast(request, _("The token is revoked. Nothing can use it any more."))
    return SeeOther(PLACE)
