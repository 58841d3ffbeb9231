"""`tunegate models vocabulary`: a base model with a vocabulary of one's own texts."""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tunegate.cli.options import column_pair, one_of, reading, said_as_options
from tunegate.errors import UserError
from tunegate.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from tunegate.models.fresh import Family
    from tunegate.models.scratch import Size
    from tunegate.new_vocabulary.making import Vocabulary
    from tunegate.new_vocabulary.texts import OwnTexts
    from tunegate.text.vocabularies.measuring import Measures
    from tunegate.vocabulary_settings import VocabularySettings


SEEN = 0.95  # share of characters: a tokenizer that knows fewer is not compared by its tokens alone


def vocabulary(
    name: Annotated[str, typer.Argument(help="what to call it here: pipelines say `model: models/NAME`")],
    files: Annotated[
        list[Path] | None, typer.Argument(help="files with texts, a tenth of which is held out; or --pipeline")
    ] = None,
    pipeline: Annotated[str, typer.Option(help="of this pipeline's training rows, judged by its validation rows")] = "",
    kind: Annotated[str, typer.Option(help="wordpiece (BERT), unigram (SentencePiece), or characters")] = "wordpiece",
    size: Annotated[int, typer.Option(help="most tokens, special ones included")] = 8000,
    lower: Annotated[bool, typer.Option("--lower/--cased", help="Read texts in lower case, or as they are.")] = True,
    accents: Annotated[
        bool | None,
        typer.Option(
            "--keep-accents/--strip-accents",
            help="Read é as é, or as e (default: stripped where lower; with unigram kept).",
        ),
    ] = None,
    nfkc: Annotated[bool, typer.Option("--nfkc", help="Read wide and other compatible forms as plain ones.")] = False,
    chinese: Annotated[
        str, typer.Option(help="characters, each alone, or pieces of several (default: characters; unigram: pieces)")
    ] = "",
    coverage: Annotated[float, typer.Option(help="share of the texts' characters that are known")] = 1.0,
    family: Annotated[str, typer.Option(help="bert or albert (default: bert; with unigram albert)")] = "",
    shape: Annotated[str, typer.Option(help="layers and width: tiny, mini, small, medium or base")] = "small",
    beside: Annotated[
        list[str] | None, typer.Option(help="a base model to compare with (default: the pipeline's); may be repeated")
    ] = None,
    column: Annotated[list[str] | None, typer.Option(help="field=column of the files, for example text=body")] = None,
    encoding: Annotated[str, typer.Option(help="the files' encoding, where it is not UTF-8")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="compare only; make no base model")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="overwrite a base model of that name")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for other programs.")] = False,
) -> None:
    """Make a base model of your own texts' words: its weights are random, to be pre-trained."""
    from tunegate.models.adding import add_model
    from tunegate.new_vocabulary.making import as_source, make_vocabulary, tokenizers_beside

    workspace = Workspace.find()
    settings = _settings(
        kind=kind,
        size=size,
        lower=lower,
        strip_accents=None if accents is None else not accents,
        nfkc=nfkc,
        chinese=chinese or None,
        coverage=coverage,
    )
    wanted, how_big = _family(family, settings), _size(shape)
    others = tokenizers_beside(workspace, _others(workspace, name, pipeline, beside))
    with _texts(workspace, pipeline, files or [], column or [], encoding) as texts, said_as_options():
        made = make_vocabulary(f"models/{name}", texts, settings, others)
    facts = made.facts() | {"size": made.size, "model": None}
    if not dry_run:
        from tunegate.dvc.tracking import track

        with as_source(made, wanted, how_big) as source:
            added = add_model(workspace, name, source, replace=replace)
        tracked = workspace.relative(track(workspace, workspace.model(f"models/{name}")))
        facts |= {"model": asdict(added.model), "changed": added.changed, "tracked_by": tracked}
    if as_json:
        print(json.dumps(facts, ensure_ascii=False))
        return
    print("\n".join(_told(made)))
    print("Nothing was made (--dry-run)." if dry_run else _next(name, facts))


def _settings(**given: object) -> "VocabularySettings":
    from pydantic import ValidationError

    from tunegate.vocabulary_settings import VocabularySettings

    try:
        return VocabularySettings.model_validate(given)
    except ValidationError as error:
        wrong = error.errors()[0]
        what = f"--{wrong['loc'][-1]} {wrong['input']}" if wrong["loc"] else "The options"
        why = wrong["msg"].removeprefix("Value error, ")
        raise UserError(f"{what} cannot be: {why[:1].lower()}{why[1:]}.", "See the command's --help.") from error


def _family(family: str, settings: "VocabularySettings") -> "Family":
    from tunegate.models.fresh import FAMILIES

    chosen = family or ("albert" if settings.kind == "unigram" else "bert")
    return one_of("--family", chosen, FAMILIES)


def _size(shape: str) -> "Size":
    from tunegate.models.scratch import SIZES

    return SIZES[one_of("--shape", shape, SIZES)]


def _others(workspace: Workspace, name: str, pipeline: str, beside: list[str] | None) -> list[str]:
    """Those that were named; else the pipeline's base model, where it is there and another one."""
    if beside is not None or not pipeline:
        return beside or []
    from tunegate.pipelines import pipelines_of

    known = pipelines_of(workspace)
    own = known[pipeline].model if pipeline in known else f"models/{name}"
    return [own] if own != f"models/{name}" and (workspace.model(own) / "tokenizer.json").is_file() else []


def _texts(
    workspace: Workspace, pipeline: str, files: list[Path], columns: list[str], encoding: str
) -> "AbstractContextManager[OwnTexts]":
    from tunegate.new_vocabulary.texts import of_files, of_pipeline
    from tunegate.progress import Progress

    if bool(pipeline) == bool(files):
        raise UserError(
            "Texts come either from files or from a pipeline.", "Name files, or give --pipeline NAME, and not both."
        )
    progress = Progress("vocabulary", sys.stderr)
    if pipeline:
        return of_pipeline(workspace, pipeline, progress)
    named = {"columns": dict(column_pair(option) for option in columns)}
    return of_files(files, reading(encoding, "").model_copy(update=named), progress)


def _told(made: "Vocabulary") -> Iterator[str]:
    chosen = made.settings
    how = [chosen.kind, "lower-cased" if chosen.lower else "cased"]
    how += ["without accents"] if chosen.strips_accents else []
    how += ["NFKC"] if chosen.nfkc else []
    how += ["Chinese by characters" if chosen.chinese_alone else "pieces of several Chinese characters"]
    yield f"{made.size:,} tokens ({', '.join(how)}) of {made.rows:,} rows of {made.source}"
    if made.size < chosen.size:
        yield f"The texts give no more: too little else in them comes again for {chosen.size:,} tokens."
    if not made.measures:
        yield "No row is held out, so nothing is measured."
        return
    yield ""
    names, every = list(made.measures), list(made.measures.values())
    wide = [max(12, len(name)) for name in names]
    yield "  ".join([f"{f'{every[0].texts:,} held-out texts':<28}", *_right(names, wide)])
    for title, told in FIGURES.items():
        yield "  ".join([f"{title:<28}", *_right([told(one) for one in every], wide)])
    own, *others = every
    for name, other in zip(names[1:], others, strict=True):
        less = 1 - own.tokens_per_text / max(1e-9, other.tokens_per_text)
        unseen = f", which leaves {1 - other.coverage:.0%} of the characters unknown" if other.coverage < SEEN else ""
        much = f"{abs(less):.0%} {'fewer' if less >= 0 else 'more'}"
        yield f"It takes {much} tokens than {name} for the same texts{unseen}."


FIGURES: "dict[str, Callable[[Measures], str]]" = {
    "vocabulary": lambda one: f"{one.vocabulary:,}",
    "tokens per text": lambda one: f"{one.tokens_per_text:.1f}",
    "95 % of texts up to": lambda one: f"{one.tokens_95:.0f}",
    "tokens per word": lambda one: f"{one.fertility:.2f}",
    "words that are one token": lambda one: f"{one.whole_words:.1%}",
    "unknown tokens": lambda one: f"{one.unknown_rate:.2%}",
    "characters covered": lambda one: f"{one.coverage:.2%}",
}


def _right(cells: list[str], wide: list[int]) -> list[str]:
    return [f"{cell:>{width}}" for cell, width in zip(cells, wide, strict=True)]


def _next(name: str, facts: dict[str, Any]) -> str:
    model = facts["model"]
    what = f"{model['architecture']}, {model['layers']} layers of {model['hidden']}, {model['megabytes']} MB"
    if not facts["changed"]:
        return f"models/{name} ({what}) was here already; nothing changed."
    return (
        f"models/{name} ({what}) has random weights: pre-train it (task: pretraining, model: models/{name}).\n"
        f"DVC tracks it: commit {facts['tracked_by']}."
    )
