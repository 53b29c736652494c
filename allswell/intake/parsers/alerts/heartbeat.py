"""Heartbeats as Healthchecks has them: a job calls an address when it is done, and the silence is the alert.

`/nightly` after the source's address says that it ran, `/nightly/fail` or `/nightly/3` (an exit code) that it failed, `/nightly/start`
and `/nightly/log` are noted. Without a name the source has one heartbeat.
"""

from __future__ import annotations

from datetime import timedelta

from .shape import Accepted, Action, Malformed, Options, Refused, Request, Severity, clean_report

_MOST = 366 * 86_400


def check(request: Request, nonce: str, options: Options) -> Accepted | Refused:
    """One call, of any method. `every_s` of the source is how long it may be silent afterwards."""
    parts = [part for part in request.path.split("/") if part]
    action, note = Action.HEARTBEAT, ""
    last = parts[-1].lower() if parts else ""
    if last in ("start", "log"):
        action, note = Action.NOTE, {"start": "started"}.get(last, "")
    elif last == "fail" or (last.isascii() and last.isdigit() and len(last) <= 3 and int(last) != 0):
        action, note = Action.FIRE, "failed" if last == "fail" else f"exit code {last}"
    if action is not Action.HEARTBEAT or last in ("0", "00", "000"):
        parts = parts[:-1]
    name, every = "/".join(parts) or "heartbeat", options.get("every_s")
    is_timed = action is Action.HEARTBEAT and request.received_at is not None and isinstance(every, int) and 0 < every <= _MOST
    report = clean_report(
        action,
        name,
        title=f"{name} failed" if action is Action.FIRE else name,
        text=request.body[:100_000].decode("utf-8", "replace"),
        severity=Severity.ERROR if action is Action.FIRE else Severity.INFO,
        happened_at=request.received_at,
        lease_until=request.received_at + timedelta(seconds=int(every or 0)) if is_timed and request.received_at else None,
        note=note,
    )
    # who said that it failed says with the next success that this is over
    over = [clean_report(Action.RESOLVE, name, happened_at=request.received_at)] if action is Action.HEARTBEAT else []
    return Accepted(200, b"OK", (report, *over), "text/plain; charset=utf-8")


def judge(options: Options) -> None:
    """Raises Malformed for settings that mean nothing: there is `every_s` only, a number of seconds up to a year."""
    every = options.get("every_s")
    if set(options) - {"every_s"} or (options and (not isinstance(every, int) or not 0 < every <= _MOST)):
        raise Malformed("There is “every_s” only, a whole number of seconds.")
