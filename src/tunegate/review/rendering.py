"""Templates to HTML. Every value is escaped; only drawings, which escape what they hold, are taken as they are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

from tunegate.review.language import Language
from tunegate.review.links import Links
from tunegate.review.text import shown

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).with_name("templates")


class View(Protocol):
    """What one page shows: a frozen value, and the template that shows it."""

    template: ClassVar[str]

    def title(self, language: Language) -> str:
        """The page's name, for its heading and the browser's tab."""


@dataclass(frozen=True)
class Reader:
    """Who reads, in which language, from where. `csrf` is empty where nothing can be sent."""

    language: Language
    links: Links
    person: str = ""
    csrf: str = ""
    here: tuple[str, ...] = ()  # the page's own address, for the switch of languages
    query: Mapping[str, str] = field(default_factory=dict)
    can_leave: bool = False
    said: str = ""  # what was just done


def render(view: View, reader: Reader) -> str:
    """The whole page."""
    return _render(view, reader, view.template)


def render_part(view: View, reader: Reader, template: str) -> str:
    """A part of a page that is put into one already shown."""
    return _render(view, reader, template)


def _render(view: View, reader: Reader, template: str) -> str:
    return (
        environment()
        .get_template(template)
        .render(view=view, reader=reader, t=reader.language.say, links=reader.links, language=reader.language)
    )


@cache
def environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {"number": number, "signed": signed, "shown": shown, "whole": whole, "share": share, "when": when}
    return made


def number(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def signed(value: float | None) -> str:
    """With a real minus sign."""
    return "–" if value is None else f"{value:+.3f}".replace("-", "\u2212")


def whole(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def when(value: str) -> str:
    """An ISO 8601 moment to the minute, in UTC: everybody reads the same time. Anything else as it is."""
    try:
        return datetime.fromisoformat(value).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    except ValueError:
        return shown(value, 40)
