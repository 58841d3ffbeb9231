"""What may stand in a file of behaviour tests. Values only."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from tunegate.behaviour.templates import check_template
from tunegate.params import Settings, Share


class Typos(Settings):
    """Neighbouring letters swapped, a letter dropped, doubled, or another key beside it; never a word's first."""

    edits: int = Field(default=1, ge=1, le=20, description="slips per text")


class Case(Settings):
    to: Literal["lower", "upper", "title"] = Field(default="lower", description="how letters are written")


class Punctuation(Settings):
    way: Literal["drop", "add"] = Field(default="drop", description="drop it, or add some at the end")


class Whitespace(Settings):
    """Doubled blanks, a line break for a blank, blanks around the text."""


class Swap(Settings):
    """Words of a list for each other: names, cities, products."""

    words: str = Field(description="the name of a list of the file")


class Width(Settings):
    to: Literal["full", "half"] = Field(default="full", description="form of letters, digits and marks")


class Traditional(Settings):
    """Simplified to traditional Chinese characters."""


class Simplified(Settings):
    """Traditional to simplified Chinese characters."""


class Add(Settings):
    texts: list[str] = Field(min_length=1, description="one of these is added")
    at: Literal["start", "end"] = Field(default="end", description="where it is added")


class Perturb(Settings):
    """Just one of them. `typos` alone is short for `{typos: {}}`."""

    typos: Typos | None = None
    case: Case | None = None
    punctuation: Punctuation | None = None
    whitespace: Whitespace | None = None
    swap: Swap | None = None
    width: Width | None = None
    traditional: Traditional | None = None
    simplified: Simplified | None = None
    add: Add | None = None

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, value: object) -> object:
        return {value: {}} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _just_one(self) -> "Perturb":
        if len(self.model_fields_set) != 1:
            raise ValueError(f"must be one of {', '.join(type(self).model_fields)}")
        return self

    @property
    def chosen(self) -> tuple[str, Settings]:
        """Its name and its settings."""
        [name] = self.model_fields_set
        return name, getattr(self, name)


def _texts(value: object) -> object:
    return [value] if isinstance(value, str) else value


Texts = Annotated[list[str], BeforeValidator(_texts), Field(min_length=1)]
Template = Annotated[Any, AfterValidator(check_template)]
"""A text with slots for the first text field, or a mapping of text fields to such texts."""


Within = Annotated[
    float | None,
    Field(
        gt=0,
        description="of a task that answers numbers: how far the number may lie off, in its own unit (default: as far "
        "as the answer's interval reaches)",
    ),
]


class Cases(Settings):
    """What every kind of test has."""

    kind: str
    tolerated: Share = Field(
        default=0.05,
        ge=0,
        lt=1,
        description="share of such cases that may fail; 0: the cases at hand are all there are, and none may",
    )
    templates: list[Template] = Field(default=[], description="texts with {slots}, filled from the file's lists")
    count: int = Field(default=100, ge=1, le=10_000, description="most cases that are made from the templates")


class MinimumFunctionality(Cases):
    """The answer is known."""

    kind: Literal["minimum_functionality"]
    templates: list[Template] = Field(min_length=1)
    expected: Texts = Field(description="the decision, or the list of those that are right")
    within: Within = None


class Drawn(Cases):
    """Cases may also come from the pipeline's test rows."""

    rows: int = Field(default=0, ge=0, le=100_000, description="most test rows that are drawn")
    where: Mapping[str, str] = Field(default={}, description="only rows with this value in this column")
    fields: list[str] | None = Field(default=None, description="the text fields that are changed (default: all)")

    @model_validator(mode="after")
    def _has_cases(self) -> "Drawn":
        if not self.rows and not self.templates:
            raise ValueError("must say where its cases come from: `rows: 200` draws test rows, `templates` makes some")
        if self.where and not self.rows:
            raise ValueError("must set `rows` where it has `where`, which chooses among test rows")
        return self


class Invariance(Drawn):
    """The decision must not change, or the number not move far. A case fails when any of its changed copies is decided
    otherwise."""

    kind: Literal["invariance"]
    perturb: Perturb = Field(description="what is changed")
    copies: int = Field(default=1, ge=1, le=20, description="changed copies of each case")
    within: Within = None


class Direction(Drawn):
    """The score of a label, or the number that is answered, must not move the wrong way after an addition."""

    kind: Literal["direction"]
    add: Texts = Field(description="what is added; one of these per case")
    at: Literal["start", "end"] = Field(default="end", description="where it is added")
    label: str | None = Field(
        default=None, description="the label whose score is watched; none where a number is answered"
    )
    score: Literal["must_not_fall", "must_not_rise"] = Field(description="the way it must not move")
    by: float = Field(default=0.05, ge=0, description="a smaller movement is none; of a number, in its own unit")


Test = MinimumFunctionality | Invariance | Direction

KINDS: dict[str, type[Test]] = {
    "minimum_functionality": MinimumFunctionality,
    "invariance": Invariance,
    "direction": Direction,
}


class BehaviourFile(Settings):
    """A file as read: `lists` fill slots and are swapped, `tests` go by name."""

    lists: Mapping[str, list[str]] = Field(default={})
    tests: Mapping[str, Test]
