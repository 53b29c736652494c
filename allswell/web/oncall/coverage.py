"""The proof of coverage: what is lacking first, then every service as a bar over the weeks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.http import HttpResponse
from django.urls import reverse
from django.utils import dateformat, timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from allswell.desk import coverage as proving
from allswell.desk.coverage import Coverage, Covered
from allswell.oncall import queries
from allswell.oncall.rules.covering import Lack, Stretch
from allswell.oncall.rules.policies import TargetKind
from allswell.web import show
from allswell.web.pages import PageRequest, desk_page, page

from . import lanes, proof_words
from .board import MAKERS

WEEKS, WITHIN = (1, 2, 4, 8, 12), (5, 15, 30, 60)
#: counter-examples that are listed for one service, and services that are drawn
MOST_GAPS, MOST_DRAWN = 3, 200


@dataclass(frozen=True, slots=True)
class Bar:
    """A time in the bar of a service: gap or off, by columns of the grid."""

    kind: str
    start: int
    width: int
    text: str


@dataclass(frozen=True, slots=True)
class Told:
    """A counter-example: from when until when, what is lacking, what to do about it."""

    span: str
    text: str
    priorities: str
    do: str
    address: str


@dataclass(frozen=True, slots=True)
class Row:
    """A service with its bar and its counter-examples."""

    name: str
    slug: str
    policy: str
    policy_slug: str
    share: str
    bars: list[Bar]
    gaps: list[Told]
    more: int


@require_safe
@desk_page
def coverage(request: PageRequest) -> HttpResponse:
    """For every service and every minute of the coming weeks: is somebody surely reached?"""
    weeks, within = _one_of(request, "weeks", WEEKS, proving.WEEKS), _one_of(request, "within", WITHIN, proving.WITHIN)
    found = proving.coverage(actor=request.actor, now=request.now, weeks=weeks, within=within)
    lacking = found.lacking
    known = {one.service.pk for one in lacking}
    unset = [one for one in lacking if one.policy is None]
    cover = _rotas(lacking, request)
    rows = [_row(one, found, cover) for one in lacking if one.policy is not None]
    fine = [_row(one, found, cover) for one in found.services if one.service.pk not in known]
    return page(
        request,
        "oncall/coverage.html",
        rows=rows[:MOST_DRAWN],
        fine=fine[:MOST_DRAWN],
        unset=unset,
        counted=len(found.services),
        lacking=len(lacking),
        more=max(0, len(rows) - MOST_DRAWN) + max(0, len(fine) - MOST_DRAWN),
        weeks=weeks,
        within=within,
        all_weeks=WEEKS,
        all_within=WITHIN,
        heads=[dateformat.format(timezone.localtime(found.since + timedelta(weeks=n)), "j M") for n in range(weeks)],
        zone=lanes.zone_name(),
        here="oncall",
    )


def _one_of(request: PageRequest, name: str, choices: Iterable[int], usual: int) -> int:
    said = request.GET.get(name, "")
    return next((choice for choice in choices if str(choice) == said), usual)


@dataclass(frozen=True, slots=True)
class Cover:
    """Where somebody is found for a gap in a rota: its short name by id, and whether the viewer decides about rotas."""

    slugs: dict[int, str]
    may_edit: bool


def _rotas(lacking: Iterable[Covered], request: PageRequest) -> Cover:
    """The rotas in which a gap is, of those the viewer may know."""
    ids = {
        target.id
        for one in lacking
        if one.policy is not None
        for gap in one.gaps
        for missing in gap.verdict.missing
        if (target := one.policy.definition.steps[missing.step].targets[missing.target]).kind is TargetKind.ROTA
    }
    seen = queries.visible_to(request.actor).filter(pk__in=ids, is_active=True).values_list("pk", "slug") if ids else ()
    return Cover(dict(seen), request.actor.has_role(*MAKERS))


def _row(one: Covered, found: Coverage, cover: Cover) -> Row:
    told = _alike(one.gaps)
    policy, slug = (one.policy.name, one.policy.slug) if one.policy else ("", "")
    share = (one.missing / (found.until - found.since)) if told else 0.0
    return Row(
        one.service.name,
        one.service.slug,
        policy,
        slug,
        _share(share),
        [*_bars(proving.joined(one.off), "off", found), *_bars(proving.joined(one.gaps), "gap", found)],
        [_told(gap, one, found, cover) for gap in told[:MOST_GAPS]],
        len(told[MOST_GAPS:]),
    )


def _alike(gaps: Iterable[Stretch]) -> list[Stretch]:
    """In order of time; what lacks the same at the same time for several priorities is one."""
    found: dict[object, Stretch] = {}
    for gap in sorted(gaps, key=lambda gap: (gap.starts_at, gap.priorities)):
        missing = tuple(one for one in gap.verdict.missing if one.absent is not None)  # not the steps for other priorities
        key = (gap.starts_at, gap.ends_at, gap.verdict.lack, gap.verdict.persons, missing)
        before = found[key].priorities if key in found else ()
        found[key] = replace(gap, priorities=(*before, *gap.priorities))
    return list(found.values())


def _share(missing: float) -> str:
    """How much is covered; cut, not rounded, so that 100 % is nothing but all."""
    covered = int((1 - missing) * 1000) / 10
    return _("%(n)s %%") % {"n": f"{covered:.1f}".removesuffix(".0")}


def _bars(spans: Iterable[tuple[datetime, datetime]], kind: str, found: Coverage) -> list[Bar]:
    whole = found.until - found.since
    bars = []
    for starts_at, ends_at in spans:
        start = min(int((starts_at - found.since) / whole * lanes.COLUMNS), lanes.COLUMNS - 1)
        end = min(max(start + 1, round((ends_at - found.since) / whole * lanes.COLUMNS)), lanes.COLUMNS)
        bars.append(Bar(kind, start + 1, end - start, lanes.span_text(starts_at, ends_at)))
    return bars


def _told(gap: Stretch, one: Covered, found: Coverage, cover: Cover) -> Told:
    do, address = _do(gap, one, cover)
    return Told(
        lanes.span_text(gap.starts_at, gap.ends_at),
        proof_words.lack(gap, found.names, found.within),
        ", ".join(f"P{priority}" for priority in gap.priorities),
        do,
        address,
    )


def _do(gap: Stretch, one: Covered, cover: Cover) -> tuple[str, str]:
    """What to do about a gap: its words and where that is done."""
    at = show.for_input(gap.starts_at)
    policy = one.policy.slug if one.policy else ""
    for missing in gap.verdict.missing if one.policy else ():
        target = one.policy.definition.steps[missing.step].targets[missing.target] if one.policy else None
        if target is None or target.kind is not TargetKind.ROTA or (slug := cover.slugs.get(target.id)) is None:
            continue
        if not cover.may_edit:
            return _("Look at the rota"), reverse("oncall_rota", args=[slug])
        times = f"?level={target.level}&starts_at={at}&ends_at={show.for_input(gap.ends_at)}"
        return _("Find cover"), reverse("oncall_override", args=[slug]) + times
    if gap.verdict.lack in (Lack.NOBODY, Lack.NEVER_STARTS, Lack.NO_PERSON):
        return _("What would happen then"), f"{reverse('oncall_simulate')}?about=policy:{policy}&at={at}&priority={_first(gap)}"
    if gap.verdict.persons and gap.verdict.lack in (Lack.NO_CONTACT, Lack.ONE_WAY, Lack.LATE):
        return _("How they are reached"), f"/people/{gap.verdict.persons[0]}"
    return "", ""


def _first(gap: Stretch) -> int:
    return gap.priorities[0] if gap.priorities else 1
