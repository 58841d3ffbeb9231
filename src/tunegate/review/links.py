"""Where pages lie: as addresses of the server, or as files that link to each other."""

from collections.abc import Mapping
from dataclasses import dataclass
from posixpath import relpath
from urllib.parse import quote, urlencode


@dataclass(frozen=True)
class Links:
    """The server's addresses. Parts of a path are quoted whole, so that no name can climb out of its place."""

    @property
    def is_static(self) -> bool:
        return False

    def to(self, *parts: str, **query: object) -> str:
        """`to("p", "support", "model", "v1.0.0", page=2)`."""
        path = "/" + "/".join(quote(part, safe="@~") for part in parts)
        chosen = {key: value for key, value in query.items() if value not in (None, "")}
        return f"{path}?{urlencode(chosen)}" if chosen else path

    def asset(self, name: str) -> str:
        return self.to("assets", name)

    def has(self, *parts: str) -> bool:
        """Whether the page is there: on a server always."""
        return True

    def other(self, language: str, here: tuple[str, ...], query: Mapping[str, str]) -> str:
        """The same page in another language."""
        return self.to(*here, **{**query, "lang": language})


@dataclass(frozen=True)
class FileLinks(Links):
    """Relative addresses from the page `here` (a path inside the folder) to others; `pages` are those that exist."""

    here: str
    pages: Mapping[str, object]
    base: str = ""  # the language's folder

    @property
    def is_static(self) -> bool:
        return True

    def to(self, *parts: str, **query: object) -> str:
        return quote(self._from_here(self.base + file_of(parts, query.get("page"))))

    def asset(self, name: str) -> str:
        return quote(self._from_here(f"assets/{name}"))

    def has(self, *parts: str) -> bool:
        return self.base + file_of(parts, None) in self.pages

    def other(self, language: str, here: tuple[str, ...], query: Mapping[str, str]) -> str:
        base = "" if language == "en" else f"{language}/"
        return quote(self._from_here(base + self.here.removeprefix(self.base)))

    def _from_here(self, target: str) -> str:
        start = self.here.rpartition("/")[0] or "."
        return relpath(target, start)


def file_of(parts: tuple[str, ...], page: object = None) -> str:
    """The file that stands for an address: `p/support/model/v1.0.0.html`. Names on disk are quoted, too."""
    path = "/".join(quote(part, safe="@~") for part in parts) or "index"
    return f"{path}.html" if page in (None, "", 1) else f"{path}.page-{page}.html"
