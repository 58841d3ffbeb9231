"""Texts with slots: `My {thing} is {fault}.`, filled from lists. `{{` and `}}` stand for braces themselves."""

import re
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from random import Random
from typing import Any

SLOT = re.compile(r"\{\{|\}\}|\{([A-Za-z_]\w*)\}")
BRACES = {"{{": "{", "}}": "}"}

Lists = Mapping[str, Sequence[str]]


def check_template(template: Any) -> Any:
    """The template itself. Raises ValueError for what is none."""
    texts = [template] if isinstance(template, str) else template.values() if isinstance(template, Mapping) else None
    if not texts or not all(isinstance(text, str) and text.strip() for text in texts):
        raise ValueError("must be a text, or a mapping of text fields to texts")
    for text in texts:
        if set(SLOT.sub("", text)) & {"{", "}"}:
            raise ValueError("must have slots like {thing}, and double braces ({{ }}) where braces are meant")
    return template


def slots_of(template: str | Mapping[str, str]) -> list[str]:
    """The names of its slots, each once, in reading order."""
    texts = [template] if isinstance(template, str) else template.values()
    return list(dict.fromkeys(found[1] for text in texts for found in SLOT.finditer(text) if found[1]))


def fill(
    templates: Sequence[str | Mapping[str, str]], lists: Lists, most: int, random: Random
) -> Iterator[tuple[int, dict[str, str]]]:
    """The template's number and its texts by field (`""` where it is a text alone), at most `most` different ones.

    All combinations where there are few, else a sample without repetition, in the templates' order.
    """
    sizes = [prod(len(lists[slot]) for slot in slots_of(template)) for template in templates]
    total = sum(sizes)
    chosen = range(total) if total <= most else sorted(random.sample(range(total), most))
    start, template = 0, 0
    for number in chosen:
        while number >= start + sizes[template]:
            start, template = start + sizes[template], template + 1
        yield template, _filled(templates[template], lists, number - start)


def _filled(template: str | Mapping[str, str], lists: Lists, number: int) -> dict[str, str]:
    """The combination with this number, as digits of a mixed radix."""
    values: dict[str, str] = {}
    for slot in slots_of(template):
        number, digit = divmod(number, len(lists[slot]))
        values[slot] = lists[slot][digit]
    texts = {"": template} if isinstance(template, str) else template
    return {field: SLOT.sub(lambda found: _value(found, values), text) for field, text in texts.items()}


def _value(found: "re.Match[str]", values: Mapping[str, str]) -> str:
    return values[found[1]] if found[1] else BRACES[found[0]]
