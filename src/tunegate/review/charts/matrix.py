"""Labels crossed with answers, and rows that moved from one label to another."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from tunegate.review.charts.svg import drawing, element, text

LARGEST = 120  # labels that are drawn; the table of pairs serves beyond
NAMED = 30  # labels that can still be read beside a drawing


def confusion(
    labels: Sequence[str], counted: Mapping[tuple[str, str], int], words: tuple[str, str], corner: tuple[str, str]
) -> Markup:
    """A square per pair that occurs: darker is more. `corner` names rows (the label) and columns (the answer)."""
    named = len(labels) <= NAMED
    size = 26.0 if named else max(5.0, 620.0 / len(labels))
    margin = 150.0 if named else 30.0
    most = max(counted.values(), default=1)
    place = {label: margin + number * size for number, label in enumerate(labels)}
    parts = [_cell(pair, number, most, (place, size)) for pair, number in counted.items() if number]
    if named:
        parts += [_name(label, place[label] + size / 2, margin) for label in labels]
    parts += [text(4, margin - 8, f"{corner[0]} ↓", "strong"), text(margin, 14, f"{corner[1]} →", "strong")]
    whole = margin + size * len(labels) + 4
    parts.append(element("rect", x=margin, y=margin, width=size * len(labels), height=size * len(labels), class_="box"))
    return drawing((whole, whole), *words, parts)


def _cell(pair: tuple[str, str], number: int, most: int, grid: tuple[Mapping[str, float], float]) -> Markup:
    place, size = grid
    strength = 0.12 + 0.88 * (number / most) ** 0.5
    kind = "right" if pair[0] == pair[1] else "wrong"
    x, y = place[pair[1]], place[pair[0]]
    told = element("title", f"{shortened(pair[0])} → {shortened(pair[1])}: {number}")
    square = element(
        "rect",
        told,
        x=x + 0.5,
        y=y + 0.5,
        width=size - 1,
        height=size - 1,
        class_=f"cell {kind}",
        fill_opacity=strength,
    )
    if size < 20:
        return square
    shade = "on-dark" if strength > 0.6 else ""
    return square + text(x + size / 2, y + size / 2 + 4, number, f"count {shade}".strip(), "middle")


def _name(label: str, place: float, margin: float) -> Markup:
    turned = f"rotate(-90 {place + 4:g} {margin - 6:g})"
    return text(margin - 6, place + 4, shortened(label), anchor="end") + element(
        "text", shortened(label), x=place + 4, y=margin - 6, transform=turned
    )


def shortened(label: str, most: int = 20) -> str:
    return label if len(label) <= most else label[: most - 1] + "…"


def flow(moves: Mapping[tuple[str, str], int], words: tuple[str, str], ends: tuple[str, str]) -> Markup:
    """Bands from labels on the left to labels on the right, as wide as the rows that moved."""
    left = _stacked([pair[0] for pair in moves], moves, 0)
    right = _stacked([pair[1] for pair in moves], moves, 1)
    height = max(_height(left), _height(right), 40.0) + 30
    used = {("left", name): place for name, (place, _) in left.items()}
    used |= {("right", name): place for name, (place, _) in right.items()}
    parts = [text(150, 14, ends[0], "strong", "end"), text(410, 14, ends[1], "strong")]
    scale = _scale(moves)
    for number, ((source, target), rows) in enumerate(moves.items()):
        width = rows * scale
        start, end = used["left", source], used["right", target]
        used["left", source], used["right", target] = start + width, end + width
        told = element("title", f"{shortened(source)} → {shortened(target)}: {rows}")
        bend = f"M160,{start:.1f} C280,{start:.1f} 280,{end:.1f} 400,{end:.1f} v{width:.1f} "
        bend += f"C280,{end + width:.1f} 280,{start + width:.1f} 160,{start + width:.1f} Z"
        parts.append(element("path", told, d=bend, class_=f"band band-{number % 4}"))
    for name, (place, size) in left.items():
        parts += [
            element("rect", x=154, y=place, width=6, height=size, class_="post"),
            _end(150, place, size, name, "end"),
        ]
    for name, (place, size) in right.items():
        parts += [
            element("rect", x=400, y=place, width=6, height=size, class_="post"),
            _end(411, place, size, name, "start"),
        ]
    return drawing((560, height), *words, parts)


def _end(x: float, place: float, size: float, name: str, anchor: str) -> Markup:
    return text(x, place + size / 2 + 4, shortened(name), anchor=anchor)


def _scale(moves: Mapping[tuple[str, str], int]) -> float:
    return 240.0 / max(1, sum(moves.values()))


def _stacked(names: Sequence[str], moves: Mapping[tuple[str, str], int], side: int) -> dict[str, tuple[float, float]]:
    """Name to where it starts and how high it is; every name has room for its text."""
    scale, place, found = _scale(moves), 26.0, {}
    for name in dict.fromkeys(names):
        size = max(3.0, scale * sum(rows for pair, rows in moves.items() if pair[side] == name))
        found[name] = (place, size)
        place += max(size + 6, 17)
    return found


def _height(stacked: Mapping[str, tuple[float, float]]) -> float:
    return max((place + max(size, 17) for place, size in stacked.values()), default=0.0)
