"""The file of behaviour tests: comments and line numbers kept, and all mistakes collected before anything fails."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from ruamel.yaml.comments import CommentedMap

from tunegate.behaviour.schema import KINDS, BehaviourFile, Direction, Invariance, MinimumFunctionality, Swap, Test
from tunegate.behaviour.templates import slots_of
from tunegate.errors import UserError, did_you_mean
from tunegate.mistakes import Place, sentences
from tunegate.params_file import plain, read_yaml

LONGEST_NAME = 80  # characters of a test's name, which stands in tables

SECTIONS = ("lists", "tests")


def read_behaviour(path: Path, fields: tuple[str, ...]) -> BehaviourFile:
    """The tests; `fields` are the task's text fields. Raises one UserError that lists every mistake."""
    document = read_yaml(path)
    if not isinstance(document, CommentedMap) or not isinstance(document.get("tests"), CommentedMap):
        raise UserError(
            f"{path.name} has no mapping `tests`.", "Add `tests:` with one entry per test under it, by its name."
        )
    place = Place(path, document, ())
    mistakes = [
        place.sentence((key,), "is unknown: only `lists` and `tests` stand at the left margin.")
        for key in document
        if key not in SECTIONS
    ]
    lists, wrong = _lists(place, plain(document.get("lists", {})))
    tests, others = _tests(place, plain(document["tests"]), lists, fields)
    if mistakes := [*mistakes, *wrong, *others]:
        count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        raise UserError(f"{path.name} has {count}:\n  " + "\n  ".join(mistakes), "Mend what is listed and try again.")
    return BehaviourFile(lists=lists, tests=tests)


class _Lists(BaseModel):
    model_config = ConfigDict(strict=True)

    lists: dict[str, list[str]]


def _lists(place: Place, raw: object) -> tuple[dict[str, list[str]], list[str]]:
    try:
        lists = TypeAdapter(_Lists).validate_python({"lists": raw}).lists
    except ValidationError as error:
        return {}, sentences(error, place, _Lists)
    empty = [name for name, words in lists.items() if not all(word.strip() for word in words) or not words]
    return lists, [place.sentence(("lists", name), "must hold words, and no empty ones.") for name in empty]


def _tests(
    place: Place, raw: object, lists: Mapping[str, list[str]], fields: tuple[str, ...]
) -> tuple[dict[str, Test], list[str]]:
    tests: dict[str, Test] = {}
    mistakes: list[str] = []
    if not isinstance(raw, dict) or not raw:
        return {}, [place.sentence(("tests",), "holds no test.")]
    for name, entry in raw.items():
        own = Place(place.path, place.document, ("tests", name))
        test, wrong = _test(own, name, entry)
        mistakes += wrong
        if test:
            mistakes += _references(own, test, lists, fields)
            tests[name] = test
    return tests, mistakes


def _test(place: Place, name: str, entry: Any) -> tuple[Test | None, list[str]]:
    """The test, or None and what is wrong with it."""
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        return None, [place.sentence((), f"must be named in 1 to {LONGEST_NAME} characters, on one line.")]
    kind = entry.get("kind") if isinstance(entry, dict) else None
    if kind not in KINDS:
        hint = did_you_mean(str(kind), KINDS)
        return None, [place.sentence(("kind",), f"must be one of {', '.join(KINDS)}.{hint}")]
    try:
        return KINDS[kind].model_validate(entry), []
    except ValidationError as error:
        return None, sentences(error, place, KINDS[kind])


def _references(place: Place, test: Test, lists: Mapping[str, list[str]], fields: tuple[str, ...]) -> list[str]:
    """What a test names must be there: lists of the file, text fields of the task."""
    return [
        place.sentence(where, f'names the {what} "{name}", which is not there.{did_you_mean(name, known)}')
        for where, what, name, known in _named(test, tuple(lists), fields)
        if name not in known
    ]


def _named(
    test: Test, lists: tuple[str, ...], fields: tuple[str, ...]
) -> Iterator[tuple[tuple[Any, ...], str, str, tuple[str, ...]]]:
    """Where it stands, what it is, the name itself, and the names that there are."""
    for number, template in enumerate(test.templates):
        yield from ((("templates", number), "list", slot, lists) for slot in slots_of(template))
        named = template if isinstance(template, dict) else {}
        yield from ((("templates", number), "text field", field, fields) for field in named)
    if isinstance(test, MinimumFunctionality):
        return
    yield from ((("fields",), "text field", field, fields) for field in test.fields or ())
    if isinstance(test, Invariance):
        name, settings = test.perturb.chosen
        if isinstance(settings, Swap):
            yield ("perturb", name), "list", settings.words, lists


def labels_named(test: Test) -> list[str]:
    """The labels that the test speaks of."""
    if isinstance(test, MinimumFunctionality):
        return test.expected
    return [test.label] if isinstance(test, Direction) and test.label is not None else []
