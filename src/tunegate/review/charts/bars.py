"""Rows per name as bars."""

from collections.abc import Mapping

from markupsafe import Markup

from tunegate.review.charts.matrix import shortened
from tunegate.review.charts.svg import drawing, element, text

ROW, NAMES, WIDTH = 22.0, 150.0, 520.0


def bars(counted: Mapping[str, Mapping[str, int]], words: tuple[str, str], parts_of: tuple[str, ...]) -> Markup:
    """A bar per name, made of its parts (`train`, `validation`, `test`) side by side."""
    most = max((sum(parts.values()) for parts in counted.values()), default=0) or 1
    room = WIDTH - NAMES - 60
    parts: list[Markup] = []
    for number, (name, sizes) in enumerate(counted.items()):
        y, x = number * ROW + 4, NAMES
        parts.append(text(NAMES - 6, y + 13, shortened(name), anchor="end"))
        for order, part in enumerate(parts_of):
            width = room * sizes.get(part, 0) / most
            told = element("title", f"{shortened(name)}, {part}: {sizes.get(part, 0)}")
            parts.append(
                element("rect", told, x=x, y=y, width=width, height=ROW - 6, class_=f"series-{order + 1} fill")
            )
            x += width
        parts.append(text(x + 5, y + 13, sum(sizes.values())))
    return drawing((WIDTH, max(1, len(counted)) * ROW + 8), *words, parts)
