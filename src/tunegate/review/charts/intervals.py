"""An estimate with its interval, against a threshold."""

from dataclasses import dataclass

from markupsafe import Markup

from tunegate.review.charts.svg import Scale, drawing, element, line, text

WIDTH, HEIGHT, EDGE = 320.0, 46.0, 12.0


@dataclass(frozen=True)
class Interval:
    """`low` and `high` are the 95 % interval, where there is one; `state` colours it."""

    estimate: float
    low: float | None
    high: float | None
    threshold: float | None
    state: str  # pass, fail, undecided, plain


def interval(shown: Interval, title: str, description: str) -> Markup:
    """A bar for the interval, a dot for the estimate, a dashed line for the threshold."""
    scale = _scale(shown)
    middle = 16.0
    parts = [line((EDGE, middle), (WIDTH - EDGE, middle), "axis")]
    if shown.low is not None and shown.high is not None:
        left, right = scale(shown.low), scale(shown.high)
        width = max(2.0, right - left)
        parts.append(element("rect", x=left, y=middle - 5, width=width, height=10, rx=3, class_=f"bar {shown.state}"))
    parts.append(element("circle", cx=scale(shown.estimate), cy=middle, r=4.5, class_=f"dot {shown.state}"))
    if shown.threshold is not None:
        place = scale(shown.threshold)
        parts += [line((place, 2), (place, 30), "threshold"), _label(place, 42.0, shown.threshold, "strong")]
    parts += _ends(scale, shown)
    return drawing((WIDTH, HEIGHT), title, description, parts)


def _scale(shown: Interval) -> Scale:
    """Wide enough for everything that is drawn, with some room."""
    values = [value for value in (shown.estimate, shown.low, shown.high, shown.threshold) if value is not None]
    low, high = min(values), max(values)
    room = 0.15 * (high - low) or 0.05 * abs(high) or 0.5
    return Scale(low - room, high + room, EDGE, WIDTH - EDGE)


def _label(place: float, y: float, value: float, class_: str) -> Markup:
    anchor = "start" if place < 40 else "end" if place > WIDTH - 40 else "middle"
    return text(place, y, f"{value:.3g}", class_, anchor)


def _ends(scale: Scale, shown: Interval) -> list[Markup]:
    """The interval's ends in figures, unless they would stand on the threshold's."""
    taken = scale(shown.threshold) if shown.threshold is not None else -100.0
    ends = [value for value in (shown.low, shown.high) if value is not None] or [shown.estimate]
    parts = []
    for value in ends:
        place = scale(value)
        if abs(place - taken) > 42:
            parts.append(_label(place, 42.0, value, ""))
            taken = place
    return parts
