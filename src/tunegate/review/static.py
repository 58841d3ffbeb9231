"""The same pages as files: links work from a folder, in both languages, and nothing can be decided there."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path

from tunegate.errors import TunegateError, UserError
from tunegate.review.language import CODES, Language
from tunegate.review.links import FileLinks, file_of
from tunegate.review.paging import Paged
from tunegate.review.rendering import Reader, View, render
from tunegate.review.site import Site
from tunegate.review.views.compare import CompareView, Filter, compare_view
from tunegate.review.views.data import DataView, data_view
from tunegate.review.views.diff import DiffView, diff_view
from tunegate.review.views.home import home_view, pipeline_view
from tunegate.review.views.model import model_view
from tunegate.review.visit import ASSETS
from tunegate.workspace import Workspace, write_atomically

MARK = ".tunegate-review"  # in a folder that we wrote, and may therefore write again
COPIED = ("style.css", "icon.svg")
MOST_PAGES = 20  # of one long table; the served page has all
MOST_STATES = 12  # versions and runs of a pipeline; older ones are on the served page

Parts = tuple[str, ...]


@dataclass(frozen=True)
class _File:
    """One page: its address on the server, the number of its part of a long table, what it shows."""

    parts: Parts
    page: int
    view: View


def write_site(workspace: Workspace, folder: Path) -> int:
    """How many pages were written. Raises UserError for a folder that holds something else."""
    _prepare(folder)
    site, written = Site(workspace), 0
    for code in CODES:
        language, base = Language(code), "" if code == CODES[0] else f"{code}/"
        files = {base + file_of(file.parts, file.page): file for file in _files(site, language)}
        for name, file in files.items():
            links = FileLinks(name, files, base)
            reader = Reader(language, links, here=file.parts)
            write_atomically(folder / name, render(file.view, reader))
        written += len(files)
    (folder / "assets").mkdir(exist_ok=True)
    for name in COPIED:
        shutil.copyfile(ASSETS / name, folder / "assets" / name)
    return written


def _prepare(folder: Path) -> None:
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARK).is_file():
        raise UserError(f"{folder} holds other files.", "Name an empty folder, or one that was written by --export.")
    if folder.is_dir():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / MARK).touch()


def _files(site: Site, language: Language) -> Iterator[_File]:
    home = home_view(site)
    yield _File((), 1, home)
    for pipeline in home.pipelines:
        name = pipeline.name
        yield _File(("p", name), 1, pipeline_view(site, name))
        states = [ref for ref, _ in pipeline.choices][:MOST_STATES]
        for ref in states:
            snapshot = site.snapshot(name, ref)
            yield from _made(("p", name, "model", ref), partial(model_view, snapshot, language))
            yield from _made(("p", name, "data", ref), partial(data_view, snapshot, language))
        for before, after in pairwise(reversed(states)):
            yield from _pair(site, language, name, (before, after))


def _pair(site: Site, language: Language, name: str, refs: tuple[str, str]) -> Iterator[_File]:
    before, after = (site.snapshot(name, ref) for ref in refs)
    compare = partial(_compared, before, after, language)
    yield from _made(("p", name, "compare", *refs), compare)
    yield from _made(("p", name, "data", refs[1], "diff", refs[0]), partial(_differing, before, after, language))


def _compared(*args: object, page: int = 1) -> CompareView:
    before, after, language = args
    return compare_view(before, after, language, Filter(page=page))  # type: ignore[arg-type]


def _differing(*args: object, page: int = 1) -> DiffView:
    before, after, language = args
    return diff_view(before, after, language, page=page)  # type: ignore[arg-type]


def _made(parts: Parts, make: Callable[..., View]) -> Iterator[_File]:
    """The page with the parts of its long table; nothing where its files cannot be had, so that no link leads there."""
    try:
        first = make()
    except TunegateError:
        return
    yield _File(parts, 1, _shortened(first))
    for page in range(2, min(MOST_PAGES, _pages(first)) + 1):
        yield _File(parts, page, _shortened(make(page=page)))


def _pages(view: View) -> int:
    table = _table(view)
    return table[1].pages if table else 1


def _table(view: View) -> tuple[str, Paged] | None:  # type: ignore[type-arg]
    """The view's long table, by its name."""
    if isinstance(view, DataView):
        return "quarantine", view.quarantine
    if isinstance(view, CompareView):
        return "flips", view.flips
    return ("rows", view.rows) if isinstance(view, DiffView) else None


def _shortened(view: View) -> View:
    """Without links to parts that are not written."""
    table = _table(view)
    if table is None or table[1].pages <= MOST_PAGES:
        return view
    shorter: View = replace(view, **{table[0]: replace(table[1], pages=MOST_PAGES)})  # type: ignore[type-var]
    return shorter
