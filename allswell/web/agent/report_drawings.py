"""The numbers of reports as pages show them, and drawn by month."""

from __future__ import annotations

from django.utils.translation import gettext as _
from markupsafe import Markup

from allswell.reporting import telling, wording
from allswell.web import charts, show


def value_text(column: telling.Column, value: telling.Value) -> str:
    """A number as the page shows it."""
    if value is None:
        return "–"
    if column.what == "share":
        return f"{value} %"
    return show.duration(int(value) / 1000) if column.what == "time" else f"{int(value):,}".replace(",", "\u202f")


def chart(found: telling.Report, *, is_small: bool = False) -> Markup:
    """A report drawn by month, with the sentence that says what is seen."""
    labels = [wording.short_month(int(line.key[5:])) for line in found.months]
    return (_stacked if found.drawn[0] == "kept" else _curves)(found, labels, is_small)


def _stacked(found: telling.Report, labels: list[str], is_small: bool) -> Markup:
    series = [(key, [line.values[key] for line in found.months]) for key in found.drawn]
    tones = {"kept": "okf", "broken": "badf", "open": "warnf"}
    drawn = [charts.Series(wording.column(key), [int(v or 0) for v in values], tones[key]) for key, values in series]
    tops = [f"{line.values['share']} %" if line.values["share"] is not None else "" for line in found.months]
    told = [f"{wording.month(line.key)} {top or '–'}" for line, top in zip(found.months, tops, strict=True)]
    return charts.stacked(labels, drawn, sentence=f"{wording.title(found.name)}: {', '.join(told)}", tops=tops, is_small=is_small)


def _curves(found: telling.Report, labels: list[str], is_small: bool) -> Markup:
    """Lengths of time as lines, in the unit that reads best."""
    columns = {column.key: column for column in found.columns}
    values = {key: [line.values[key] for line in found.months] for key in found.drawn}
    highest = max((int(value) for series in values.values() for value in series if value is not None), default=0)
    scale, unit = next(
        ((size, unit) for size, unit in ((86_400_000, _("d")), (3_600_000, _("h"))) if highest >= 2 * size),
        (60_000, _("min")),
    )
    tones = ("s1", "s2", "s3")
    drawn = [
        charts.Series(wording.column(key), [None if value is None else int(value) for value in series], tone)
        for (key, series), tone in zip(values.items(), tones, strict=False)
    ]
    told = [
        f"{wording.month(line.key)} " + " / ".join(value_text(columns[key], line.values[key]) for key in found.drawn)
        for line in found.months
    ]
    named = " / ".join(wording.column(key) for key in found.drawn)
    sentence = f"{wording.title(found.name)}, {named}: {', '.join(told)}"
    return charts.lines(labels, drawn, sentence=sentence, scale=scale, unit=unit, is_small=is_small)
