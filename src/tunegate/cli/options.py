"""Settings that a command takes as options: their values checked, and what readers say of them put in its words."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from tunegate.errors import TunegateError, UserError

if TYPE_CHECKING:
    from collections.abc import Collection

    from tunegate.params import IngestSettings

Name = TypeVar("Name", bound=str)

VALUE = r"""(?:: (?P<value>"[^"]*"|[\w-]+))?"""
SETTING = re.compile(
    rf"ingest\.(?:(?P<name>encoding|delimiter|label_delimiter|label_columns){VALUE}"
    rf"|columns(?:: \{{(?P<field>\w+): (?P<column>[^}}]+)\}})?)"
    r"(?: in params\.yaml)?"
)
"""As readers write settings in their sentences: `ingest.encoding: gb18030`."""

WITHOUT_OPTION = {
    " out of ingest.files": " out",
    "; if quotes mean nothing here, set ingest.quoting: false": "",
    "Name one with ingest.sheet": "Save the one that is meant as a file of its own",
}
FORMAT = re.compile(r", or set ingest\.format: \w+|Set ingest\.format to what it is, or (?P<or_make>make)")
"""What has no option: the other way that the sentence names is left, or stands in its place."""


def reading(encoding: str, delimiter: str, base: "IngestSettings | None" = None) -> "IngestSettings":
    """The settings (default: the defaults) with what was given on the command line. Raises UserError."""
    from pydantic import ValidationError

    from tunegate.params import IngestSettings

    said = {"encoding": encoding, "delimiter": typed(delimiter)}
    given = {name: value for name, value in said.items() if value}
    try:
        return IngestSettings.model_validate({**(base.model_dump() if base else {}), **given})
    except ValidationError as error:
        raise wrong_option(error) from error


def typed(delimiter: str) -> str:
    """A tab can be typed as `\\t`, which is how sentences write it."""
    return "\t" if delimiter == "\\t" else delimiter


def column_pair(option: str) -> tuple[str, str]:
    """`text=body` as field and column. Raises UserError."""
    field, equals, column = option.partition("=")
    if not (field and equals and column):
        raise UserError(f"--column {option} names no field and column.", "Write it as --column text=body.")
    return field, column


def names_in(said: str) -> tuple[str, ...]:
    """Names with commas between them."""
    return tuple(name.strip() for name in said.split(",") if name.strip())


def wrong_option(error: Any) -> UserError:
    """Of a pydantic error in a setting that came from an option of the same name."""
    wrong = error.errors()[0]
    why = wrong["msg"].removeprefix("Value error, ")
    return UserError(f"--{wrong['loc'][-1]} {wrong['input']!r} cannot be: it {why}.", "See the command's --help.")


def one_of(option: str, value: str, known: "Collection[Name]") -> "Name":
    """The value as one of the known names. Raises UserError."""
    found = next((name for name in known if name == value), None)
    if found is None:
        raise UserError(f"{option} {value}: there is no such thing.", f"Choose one of: {', '.join(known)}.")
    return found


@contextmanager
def said_as_options() -> Iterator[None]:
    """Errors within name options where they name settings of params.yaml."""
    try:
        yield
    except TunegateError as error:
        raise type(error)(as_options(error.problem), as_options(error.remedy)) from error


def as_options(sentence: str) -> str:
    """`set ingest.encoding: big5` as `set --encoding big5`."""
    for setting, instead in WITHOUT_OPTION.items():
        sentence = sentence.replace(setting, instead)
    return SETTING.sub(_option, FORMAT.sub(_format_left_out, sentence))


def _format_left_out(found: "re.Match[str]") -> str:
    return "Make" if found["or_make"] else ""


def _option(found: "re.Match[str]") -> str:
    if name := found["name"]:
        option = f"--{name.replace('_', '-')}"
        return f"{option} {found['value']}" if found["value"] else option
    return f"--column {found['field']}={found['column']}" if found["field"] else "--column"
