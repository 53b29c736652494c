"""Charts drawn on the server as SVG: attributes and classes only, one sentence that says what is seen, drawn for wide and narrow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

#: (class, width, height) of each drawing; the style sheet shows one of them
_SIZES = (("ch only-wide", 1060, 240), ("ch only-narrow", 350, 220))
_LEFT, _RIGHT, _TOP, _FOOT = 44, 8, 18, 22
#: the steps between the lines of a scale: round numbers
_STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True, slots=True)
class Series:
    """Values in the order of the labels, None where there is none; `tone` is the class they wear."""

    name: str
    values: Sequence[float | None]
    tone: str


def stacked(
    labels: Sequence[str], series: Sequence[Series], *, sentence: str, tops: Sequence[str] = (), is_small: bool = False
) -> Markup:
    """Bars on one another, with a word above each (`tops`)."""
    highest = max((sum(one.values[at] or 0 for one in series) for at in range(len(labels))), default=0)
    return _twice(lambda css, width, height: _stacked(css, width, height, labels, series, tops, highest, sentence), is_small)


def lines(
    labels: Sequence[str], series: Sequence[Series], *, sentence: str, scale: float = 1, unit: str = "", is_small: bool = False
) -> Markup:
    """A line for each series; `scale` values are one `unit` of the axis."""
    highest = max((value for one in series for value in one.values if value is not None), default=0) / scale
    return _twice(lambda css, width, height: _lines(css, width, height, labels, series, highest, scale, unit, sentence), is_small)


def _twice(draw: Callable[[str, int, int], Markup], is_small: bool) -> Markup:
    if is_small:
        return draw("ch", *_SIZES[1][1:])
    return Markup("").join(draw(*size) for size in _SIZES)


def steps(highest: float, *, most: int = 4) -> list[float]:
    """Round numbers from 0 that reach the highest value, few enough to read."""
    power = 10.0**-3
    while True:
        for factor in _STEPS:
            step = power * factor
            if step * most >= highest:
                count = max(1, -int(-highest // step))
                return [round(step * place, 6) for place in range(count + 1)]
        power *= 10


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where values and labels lie in a drawing."""

    width: int
    height: int
    places: int
    top: float

    def x(self, place: float) -> float:
        return _LEFT + (place + 0.5) * (self.width - _LEFT - _RIGHT) / max(1, self.places)

    def y(self, value: float) -> float:
        return _TOP + (self.height - _TOP - _FOOT) * (1 - value / (self.top or 1))

    @property
    def step(self) -> float:
        return (self.width - _LEFT - _RIGHT) / max(1, self.places)


def _number(value: float) -> str:
    return f"{value:g}"


def _ground(frame: _Frame, scale: Sequence[float], labels: Sequence[str], unit: str) -> list[Markup]:
    """The lines of the scale with their numbers, and the labels below."""
    found = []
    for value in scale:
        y = f"{frame.y(value):.1f}"
        found.append(Markup('<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(_LEFT, frame.width - _RIGHT, y, y))
        text = f"{_number(value)} {unit}".strip()
        found.append(Markup('<text x="{}" y="{:.1f}" text-anchor="end">{}</text>').format(_LEFT - 6, frame.y(value) + 4, text))
    each = -(-len(labels) * 58 // max(1, frame.width - _LEFT - _RIGHT))  # so that labels do not touch
    for place, label in enumerate(labels):
        if (len(labels) - 1 - place) % max(1, each) == 0:
            found.append(
                Markup('<text x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(frame.x(place), frame.height - 6, label)
            )
    return found


def _drawing(css: str, frame: _Frame, sentence: str, parts: Sequence[Markup]) -> Markup:
    return (
        Markup('<svg class="{}" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(css, frame.width, frame.height, sentence)
        + Markup("").join(parts)
        + Markup("</svg>")
    )


def _stacked(
    css: str,
    width: int,
    height: int,
    labels: Sequence[str],
    series: Sequence[Series],
    tops: Sequence[str],
    highest: float,
    sentence: str,
) -> Markup:
    scale = steps(max(1, highest))
    frame = _Frame(width, height, len(labels), scale[-1])
    parts = _ground(frame, scale, labels, "")
    thick = min(46.0, frame.step * 0.62)
    for place, label in enumerate(labels):
        below = 0.0
        for one in series:
            value = one.values[place] or 0
            if value:
                shape = (frame.x(place) - thick / 2, frame.y(below + value), thick, frame.y(below) - frame.y(below + value))
                parts.append(
                    Markup(
                        '<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>'
                    ).format(one.tone, *shape, f"{label}: {one.name} {_number(value)}")
                )
                below += value
        if below and tops and tops[place] and frame.step >= 34:
            parts.append(
                Markup('<text class="strong" x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>').format(
                    frame.x(place), frame.y(below) - 5, tops[place]
                )
            )
    return _drawing(css, frame, sentence, parts)


def _lines(
    css: str,
    width: int,
    height: int,
    labels: Sequence[str],
    series: Sequence[Series],
    highest: float,
    scale: float,
    unit: str,
    sentence: str,
) -> Markup:
    marks = steps(highest or 1)
    frame = _Frame(width, height, len(labels), marks[-1])
    parts = _ground(frame, marks, labels, unit)
    for one in series:
        run: list[str] = []
        for place, value in enumerate([*one.values, None]):
            if value is not None:
                run.append(f"{frame.x(place):.1f},{frame.y(value / scale):.1f}")
            elif run:
                parts.append(Markup('<path class="{}" d="M{}"/>').format(f"ln {one.tone}", "L".join(run)))
                run = []
        for place, value in enumerate(one.values):
            if value is not None:
                said = f"{labels[place]}: {one.name} {_number(round(value / scale, 1))} {unit}"
                parts.append(
                    Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="3"><title>{}</title></circle>').format(
                        f"pt {one.tone}", frame.x(place), frame.y(value / scale), said
                    )
                )
    return _drawing(css, frame, sentence, parts)
