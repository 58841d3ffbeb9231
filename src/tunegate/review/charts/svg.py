"""SVG elements as escaped text, and scales."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count

from markupsafe import Markup, escape

_numbers = count(1)


def element(name: str, content: object = "", **attributes: object) -> Markup:
    """`font_size=3` becomes `font-size="3"`, `class_` becomes `class`; everything is escaped."""
    written = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), _short(value))
        for key, value in attributes.items()
        if value is not None
    )
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(name), written, escape(content))


def joined(parts: Iterable[Markup]) -> Markup:
    return Markup("").join(parts)


def drawing(size: tuple[float, float], title: str, description: str, parts: Iterable[Markup]) -> Markup:
    """The whole picture; it shrinks with the page and keeps its shape."""
    number = next(_numbers)
    names = {"title": f"drawing-{number}-title", "desc": f"drawing-{number}-desc"}
    head = [element("title", title, id=names["title"]), element("desc", description, id=names["desc"])]
    width, height = size
    return Markup(
        '<svg viewBox="0 0 {0:g} {1:g}" width="{0:g}" height="{1:g}" role="img" class="drawing" '
        'aria-labelledby="{2} {3}" xmlns="http://www.w3.org/2000/svg">{4}</svg>'
    ).format(width, height, names["title"], names["desc"], joined([*head, *parts]))


def text(x: float, y: float, content: object, class_: str = "", anchor: str = "start") -> Markup:
    return element("text", content, x=x, y=y, class_=class_ or None, text_anchor=anchor)


def line(start: tuple[float, float], end: tuple[float, float], class_: str) -> Markup:
    return element("line", x1=start[0], y1=start[1], x2=end[0], y2=end[1], class_=class_)


@dataclass(frozen=True)
class Scale:
    """Numbers to places: `low` to `high` onto `start` to `end`; what lies outside stays at the edge."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return self.start + min(1.0, max(0.0, share)) * (self.end - self.start)


def _short(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
