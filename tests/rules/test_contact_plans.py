"""How a person is reached: the order of ways, quiet hours, and that nothing goes where nobody has shown to be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allswell.notifications.rules import (
    ContactKind,
    Method,
    Quiet,
    Reach,
    Rule,
    Urgency,
    after_quiet,
    as_phone,
    default_rules,
    is_inside,
    looks_like_apprise,
    masked,
    plan,
)

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MAIL = Method(ContactKind.EMAIL, None, is_verified=True)
SMS, VOICE, PUSH = (
    Method(kind, number, is_verified=True)
    for number, kind in enumerate((ContactKind.SMS, ContactKind.VOICE, ContactKind.PUSH), start=1)
)
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "America/Sao_Paulo",
    "Asia/Kathmandu",
)

_kinds = st.sampled_from([kind for kind in ContactKind if kind is not ContactKind.DESK])
_methods = st.lists(st.builds(Method, _kinds, st.one_of(st.none(), st.integers(1, 6)), st.booleans()), max_size=7)
_rules = st.lists(
    st.builds(Rule, st.sampled_from(Urgency), st.one_of(st.none(), st.integers(1, 8)), st.integers(0, 3600)), max_size=8
)
_minutes = st.integers(0, 1439)
_quiet = st.builds(Quiet, _minutes, _minutes).filter(lambda quiet: quiet.since != quiet.until)
#: nights in which clocks change, in one of the zones each
_NIGHTS = [datetime(2026, 3, 28), datetime(2026, 10, 24), datetime(2026, 4, 4), datetime(2026, 10, 3), datetime(2026, 11, 1)]
_instants = st.one_of(
    st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),
    st.builds(lambda night, n: night.replace(tzinfo=UTC) + timedelta(minutes=n), st.sampled_from(_NIGHTS), st.integers(0, 2880)),
)
_zones = st.sampled_from(ZONES)


def _shown(at: datetime, zone: str) -> int:
    local = at.astimezone(ZoneInfo(zone))
    return local.hour * 60 + local.minute


def test_without_rules_an_urgent_page_grows_louder() -> None:
    found = plan([MAIL, SMS, VOICE, PUSH], [], urgency=Urgency.URGENT, at=NOON)
    assert [(row.channel, (row.due_at - NOON).seconds) for row in found] == [
        ("desk", 0), ("email", 0), ("push", 0), ("sms", 60), ("voice", 180),
    ]  # fmt: skip


def test_without_rules_a_normal_page_stays_quiet() -> None:
    found = plan([MAIL, SMS, VOICE, PUSH], [], urgency=Urgency.NORMAL, at=NOON)
    assert [row.channel for row in found] == ["desk", "email", "push"]


def test_own_rules_say_the_order_and_the_delays() -> None:
    said = [Rule(Urgency.URGENT, 2, 120), Rule(Urgency.URGENT, 1, 0), Rule(Urgency.NORMAL, None, 0)]
    found = plan([MAIL, SMS, VOICE], said, urgency=Urgency.URGENT, at=NOON)
    assert [(row.channel, row.contact) for row in found] == [("desk", None), ("sms", 1), ("voice", 2)]
    assert [row.channel for row in plan([MAIL, SMS, VOICE], said, urgency=Urgency.NORMAL, at=NOON)] == ["desk", "email"]


def test_rules_that_lead_nowhere_any_more_fall_back_to_what_there_is() -> None:
    gone = [Rule(Urgency.URGENT, 9, 0)]
    assert [row.channel for row in plan([SMS], gone, urgency=Urgency.URGENT, at=NOON)] == ["desk", "sms"]
    assert [row.channel for row in plan([SMS], [], urgency=Urgency.NORMAL, at=NOON)] == ["desk", "sms"]


def test_nobody_is_reached_without_any_way_and_by_mail_before_nobody() -> None:
    assert plan([], [], urgency=Urgency.URGENT, at=NOON) == ()
    assert plan([Method(ContactKind.SMS, 1, is_verified=False)], [], urgency=Urgency.URGENT, at=NOON) == ()
    vouched = Method(ContactKind.EMAIL, None, is_verified=False)
    assert [row.channel for row in plan([vouched], [], urgency=Urgency.URGENT, at=NOON)] == ["desk", "email"]
    assert not Reach(methods=(vouched,)).is_reachable
    assert Reach(methods=(MAIL,)).kinds == {ContactKind.EMAIL}


@given(_methods, _rules, st.sampled_from(Urgency), _instants, st.one_of(st.none(), _quiet), _zones)
def test_whatever_the_rules_say(
    methods: list[Method], said: list[Rule], urgency: Urgency, at: datetime, quiet: Quiet | None, zone: str
) -> None:
    found = plan(methods, said, urgency=urgency, at=at, quiet=quiet, zone=zone)
    shown = {method.contact for method in methods if method.is_verified}
    assert bool(found) == bool(shown or any(method.contact is None for method in methods))
    assert all(row.contact in shown for row in found[1:] if row.contact is not None)
    assert len(found) != 1
    assert [row.due_at for row in found] == sorted(row.due_at for row in found)
    if urgency is Urgency.URGENT:
        assert all(timedelta(0) <= row.due_at - at <= timedelta(hours=1) for row in found)
        assert found == plan(methods, said, urgency=urgency, at=at)
    elif quiet is not None:
        assert not any(quiet.holds(_shown(row.due_at, zone)) for row in found)
        assert all(at <= row.due_at <= at + timedelta(hours=50) for row in found)


@given(_instants, _quiet, _zones)
def test_quiet_hours_end_at_the_first_minute_that_is_not_quiet(at: datetime, quiet: Quiet, zone: str) -> None:
    at = at.replace(second=0, microsecond=0)
    end = after_quiet(at, quiet, zone)
    minute = at
    while quiet.holds(_shown(minute, zone)):
        minute += timedelta(minutes=1)
    assert end == minute


@pytest.mark.parametrize(
    ("at", "ends_at"),
    [
        ("2026-03-28T23:30", "2026-03-29T01:00"),  # 02:30 is skipped in this night: at 03:00 it has passed
        ("2026-10-24T22:30", "2026-10-25T00:30"),  # 02:30 comes twice: the first counts
        ("2026-10-25T00:10", "2026-10-25T00:30"),
        ("2026-06-10T10:00", "2026-06-10T10:00"),
    ],
)
def test_quiet_hours_over_midnight_in_nights_when_the_clocks_change(at: str, ends_at: str) -> None:
    night = Quiet(22 * 60, 2 * 60 + 30)
    since, until = (datetime.fromisoformat(said).replace(tzinfo=UTC) for said in (at, ends_at))
    assert after_quiet(since, night, "Europe/Berlin") == until


def test_the_default_rules_are_those_the_plan_follows() -> None:
    methods = [VOICE, SMS, MAIL]
    for urgency in Urgency:
        planned = plan(methods, [], urgency=urgency, at=NOON)[1:]
        said = default_rules(methods, urgency)
        assert [(row.contact, NOON + timedelta(seconds=row.after)) for row in said] == [
            (row.contact, row.due_at) for row in planned
        ]


def test_telephone_numbers_are_written_with_their_country() -> None:
    for said in ("+4915112345678", "+49 151 1234-5678", "0049 (151) 12345678"):
        assert as_phone(said) == "+4915112345678"
    for wrong in (
        "015112345678",
        "+0151123456",
        "+49",
        "+49151123456789012",
        "+٤٩١٥١١٢٣٤٥",
        "",
        "+",
        "+49151123456x",
        "++491511234567",
    ):
        assert as_phone(wrong) is None, wrong


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://[::ffff:10.0.0.1]/x",
        "http://169.254.169.254/latest",
        "https://:token@192.168.0.1/x",
        "http://localhost:9/x",
        "http://a.localhost./x",
    ],
)
def test_numbers_inside_are_refused_as_they_are_typed_in(url: str) -> None:
    assert is_inside(url, allowed=["10.0.0.0/8", "chat.internal"])


@pytest.mark.parametrize(
    "url", ["https://hooks.example.org/x", "http://10.1.2.3/x", "http://chat.internal/x", "https://8.8.8.8/"]
)
def test_names_and_what_the_operator_allows_are_taken(url: str) -> None:
    assert not is_inside(url, allowed=["10.0.0.0/8", "chat.internal"])


def test_apprise_calls_no_address_of_the_web_by_itself() -> None:
    assert looks_like_apprise("matrix://user:password@matrix.example.org")
    for wrong in ("json://10.0.0.1/", "https://example.org", "file:///etc/passwd", "SYSLOG://x/y", "matrix", "a b://c", ""):
        assert not looks_like_apprise(wrong), wrong


def test_screens_show_too_little_of_an_address_to_use_it() -> None:
    assert masked(ContactKind.SMS, "+4915112345678") == "+49 … 678"
    assert masked(ContactKind.EMAIL, "jonas.berg@example.org") == "j…@example.org"
    assert (
        masked(ContactKind.CHAT, "https://user:secret@hooks.example.org/services/T0/B0/xyz?token=1")
        == "https://hooks.example.org/…"
    )
    assert masked(ContactKind.WEBHOOK, "https://a.example.org whsec_abc/def") == "https://a.example.org/…"
    assert masked(ContactKind.NTFY, "https://:tk_secret@ntfy.example.org/topic") == "https://ntfy.example.org/…"
    assert masked(ContactKind.APPRISE, "tgram://123:TOKEN/42") == "tgram://…"
