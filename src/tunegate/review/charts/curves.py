"""Curves over two axes: calibration and learning."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from tunegate.review.charts.svg import Scale, drawing, element, line, text

WIDTH, HEIGHT = 420.0, 300.0
LEFT, RIGHT, TOP, BOTTOM = 52.0, 404.0, 14.0, 252.0
MOST_POINTS = 400  # more than a screen shows


@dataclass(frozen=True)
class Axes:
    """What stands at the two axes."""

    x: str
    y: str


@dataclass(frozen=True)
class Curve:
    """Points in their order; `kind` is a class of the style sheet, `name` stands in the legend."""

    name: str
    points: Sequence[tuple[float, float]]
    kind: str
    dots: bool = False


def reliability(bins: Sequence[tuple[float, float, int]], words: tuple[str, str], axes: Axes) -> Markup:
    """`bins`: mean confidence, share of right answers, rows. On the diagonal confidence can be believed."""
    x, y = Scale(0, 1, LEFT, RIGHT), Scale(0, 1, BOTTOM, TOP)
    most = max((rows for _, _, rows in bins), default=1)
    parts = [*_frame(x, y, axes), line((x(0), y(0)), (x(1), y(1)), "diagonal")]
    for confidence, right, rows in bins:
        size = 3 + 7 * (rows / most) ** 0.5
        told = element("title", f"{rows}: {confidence:.3f}, {right:.3f}")
        parts.append(element("circle", told, cx=x(confidence), cy=y(right), r=size, class_="series-1 point"))
    return drawing((WIDTH, HEIGHT), *words, parts)


def curves(drawn: Sequence[Curve], words: tuple[str, str], axes: Axes) -> Markup:
    """Curves on shared axes, from zero upwards."""
    points = [point for curve in drawn for point in curve.points]
    x = Scale(0.0, max(p[0] for p in points), LEFT, RIGHT)
    y = Scale(0.0, 1.05 * max(p[1] for p in points) or 1.0, BOTTOM, TOP)
    parts = _frame(x, y, axes)
    for number, curve in enumerate(drawn):
        parts += [*_curve(curve, x, y), *_legend(curve, number)]
    return drawing((WIDTH, HEIGHT), *words, parts)


def _curve(curve: Curve, x: Scale, y: Scale) -> list[Markup]:
    step = -(-len(curve.points) // MOST_POINTS) or 1
    places = [(x(px), y(py)) for px, py in curve.points[::step]]
    path = " ".join(f"{px:.1f},{py:.1f}" for px, py in places)
    parts = [element("polyline", points=path, class_=f"{curve.kind} curve")]
    if curve.dots:
        parts += [element("circle", cx=px, cy=py, r=4, class_=f"{curve.kind} point") for px, py in places]
    return parts


def _legend(curve: Curve, number: int) -> list[Markup]:
    y = TOP + 8 + 16 * number
    return [
        line((RIGHT - 150, y), (RIGHT - 128, y), f"{curve.kind} curve"),
        text(RIGHT - 122, y + 4, curve.name),
    ]


def _frame(x: Scale, y: Scale, axes: Axes) -> list[Markup]:
    """Axes with five marks each and their names."""
    parts = [line((LEFT, BOTTOM), (RIGHT, BOTTOM), "axis"), line((LEFT, TOP), (LEFT, BOTTOM), "axis")]
    for mark in range(5):
        at_x, at_y = (scale.low + (scale.high - scale.low) * mark / 4 for scale in (x, y))
        anchor = "end" if mark == 4 else "middle"
        parts += [
            line((LEFT, y(at_y)), (RIGHT, y(at_y)), "grid"),
            text(x(at_x), BOTTOM + 16, f"{at_x:.3g}", anchor=anchor),
            text(LEFT - 6, y(at_y) + 4, f"{at_y:.3g}", anchor="end"),
        ]
    parts.append(text((LEFT + RIGHT) / 2, HEIGHT - 8, axes.x, anchor="middle"))
    middle = (TOP + BOTTOM) / 2
    turned = f"rotate(-90 14 {middle:g})"
    parts.append(element("text", axes.y, x=14, y=middle, text_anchor="middle", transform=turned))
    return parts
