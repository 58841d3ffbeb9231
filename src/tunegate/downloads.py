"""One file from a server: taken up where it broke off, within a size, compared with its hash, whole or not at all.

    .NAME.part         what has come so far, beside the place where the file will stand
    .NAME.part.json    what the server said of it: only the same file is gone on with

Nothing here knows what a file is for, nor where hashes come from.
"""

import fcntl
import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from tunegate.errors import OutsideError, UserError
from tunegate.workspace import write_atomically

if TYPE_CHECKING:
    from requests import Response

TIMEOUT_SECONDS = 30.0  # without a byte from the server
MOST_BREAKS = 50  # of the connection, each with some bytes more
LARGEST = 16_000_000_000  # bytes of one file: the largest base models of this field have 3 GB
CHUNK = 1 << 16  # bytes; of one that broke off in the middle nothing is kept
AGAIN = "Try again: it goes on where it broke off."

Advance = Callable[[int, int], None]
"""Told (bytes done, bytes in all), where the server says how many there are."""


@dataclass(frozen=True)
class Wanted:
    """`sha256` and `size` (bytes) where they are known, `known_to` says by whom; `headers` go to the url's own host."""

    url: str
    sha256: str | None = None
    known_to: str = "the catalogue"
    size: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class _BrokenOffError(Exception):
    """The connection ended before the file did."""


class _AnotherFileError(_BrokenOffError):
    """What has come belongs to another file than the server has now: it starts anew."""


def download(wanted: Wanted, target: Path, advance: Advance | None = None) -> str:
    """Make `target` the file; its SHA-256. What has come stays for the next try, unless it is not what was wanted.

    Raises UserError for an address that cannot be right, OutsideError where the server or the way to it fails.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with _locked(target) as part:
        for _ in range(MOST_BREAKS):
            before = part.size
            try:
                _receive(wanted, part, advance or (lambda done, total: None))
                break
            except _BrokenOffError as broken:
                if part.size <= before and not isinstance(broken, _AnotherFileError):
                    raise OutsideError(f"{shown(wanted.url)} cannot be fetched: {broken}.", AGAIN) from broken
        else:
            raise OutsideError(f"{shown(wanted.url)} cannot be fetched: the connection keeps breaking.", AGAIN)
        return part.finished(wanted, target)


def shown(url: str) -> str:
    """An address as it may be printed and kept: without a password, a signature or a fragment."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def sha256_of(path: Path) -> str:
    """Of the file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class _Part:
    """What has come of a file, and from where."""

    path: Path

    @property
    def notes(self) -> Path:
        return self.path.with_name(f"{self.path.name}.json")

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.is_file() else 0

    def range(self, wanted: Wanted) -> dict[str, str]:
        """Headers that ask for the rest, where the server can tell whether it is still the same file."""
        if not self.size:
            return {}
        known = self._known()
        if known.get("url") == shown(wanted.url) and known.get("mark"):
            return {"Range": f"bytes={self.size}-", "If-Range": str(known["mark"])}
        self.clear()
        return {}

    def note(self, wanted: Wanted, response: "Response") -> None:
        """A weak mark (`W/`) does not say that bytes are the same."""
        tag = response.headers.get("ETag", "")
        mark = tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified")
        write_atomically(self.notes, json.dumps({"url": shown(wanted.url), "mark": mark}))

    def clear(self) -> None:
        self.path.write_bytes(b"")  # not unlinked: the lock is on it
        self.notes.unlink(missing_ok=True)

    def finished(self, wanted: Wanted, target: Path) -> str:
        """The whole file in its place. Raises OutsideError where it is another one than is known."""
        found = sha256_of(self.path)
        if wanted.size is not None and self.size != wanted.size:
            size = self.size
            self.clear()
            raise OutsideError(f"{shown(wanted.url)} gave {size:,} bytes, not {wanted.size:,}.", "Try again.")
        if wanted.sha256 is not None and found != wanted.sha256:
            self.clear()
            raise OutsideError(
                f"{shown(wanted.url)} is not the file that {wanted.known_to} knows: its SHA-256 is {found}, "
                f"not {wanted.sha256}.",
                "Something on the way changed it, or it was published anew: compare with whoever publishes it.",
            )
        self.path.chmod(0o644)
        self.path.replace(target)
        self.notes.unlink(missing_ok=True)
        return found

    def _known(self) -> dict[str, Any]:
        try:
            known = json.loads(self.notes.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}


@contextmanager
def _locked(target: Path) -> Iterator[_Part]:
    """One process at a time brings a file; an empty part does not stay."""
    part = _Part(target.with_name(f".{target.name}.part"))
    with part.path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UserError(f"Another process is bringing {target.name} just now.", "Wait for it to end.") from error
        try:
            yield part
        finally:
            if part.path.is_file() and not part.size:
                part.path.unlink()
                part.notes.unlink(missing_ok=True)


def _receive(wanted: Wanted, part: _Part, advance: Advance) -> None:
    """The rest of the file, onto what is there. Raises _BrokenOffError where some is still missing."""
    import requests

    headers = {"Accept-Encoding": "identity", **wanted.headers, **part.range(wanted)}
    try:
        with requests.get(wanted.url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS) as response:
            if response.status_code == 416 and part.size:  # there is no rest: it was whole, or it is another file
                if response.headers.get("Content-Range", "").rpartition("/")[2] != str(part.size):
                    part.clear()
                    raise _AnotherFileError
                return
            _check_answer(wanted, response)
            start = _start(response, part)
            total = _total(wanted, response, start, part)
            part.note(wanted, response)
            with part.path.open("r+b") as file:
                file.truncate(start)
                file.seek(start)
                _write(wanted, response, file, total, advance)
    except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError) as error:
        raise _BrokenOffError("the connection broke off") from error
    except requests.RequestException as error:
        if part.size and isinstance(error, requests.ConnectionError | requests.Timeout):
            raise _BrokenOffError(_reason(error)) from error
        raise _unreachable(wanted, error) from error


def _write(wanted: Wanted, response: "Response", file: IO[bytes], total: int, advance: Advance) -> None:
    first = file.tell() == 0
    for chunk in response.iter_content(CHUNK):
        if first and _is_page(chunk) and not wanted.url.endswith((".md", ".html")):
            file.truncate(0)
            raise _page(wanted)
        first = False
        file.write(chunk)
        if file.tell() > (total or LARGEST):
            size = file.tell()
            file.truncate(0)
            raise _too_large(wanted, size)
        if total:
            advance(file.tell(), total)


def _check_answer(wanted: Wanted, response: "Response") -> None:
    where, status = shown(wanted.url), response.status_code
    if urlsplit(wanted.url).scheme == "https" and urlsplit(response.url).scheme != "https":
        raise OutsideError(f"{where} leads to an address without encryption.", "Use another address.")
    if status in (401, 403):
        raise UserError(
            f"{where} may not be read: the server answered {status} {response.reason}.",
            "Check the address, and the token where one is needed.",
        )
    if status in (404, 410):
        raise UserError(f"{where} is not there: the server answered {status} {response.reason}.", "Check the address.")
    if status not in (200, 206):
        raise OutsideError(
            f"{where} cannot be fetched: the server answered {status} {response.reason}.", "Try again later."
        )


def _start(response: "Response", part: _Part) -> int:
    """The place of the answer's first byte in the file: a server may send all of it again."""
    if response.status_code != 206:
        return 0
    found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
    if found is None or int(found[1]) != part.size:
        part.clear()
        raise _AnotherFileError
    return part.size


def _total(wanted: Wanted, response: "Response", start: int, part: _Part) -> int:
    """Bytes in all, 0 where nobody says. Raises UserError for more than may be."""
    length = "" if "Content-Encoding" in response.headers else response.headers.get("Content-Length", "")
    total = start + int(length) if length.isdecimal() else wanted.size or 0
    if total > LARGEST:
        raise _too_large(wanted, total)
    free = shutil.disk_usage(part.path.parent).free
    if total - start > free:
        raise UserError(f"{shown(wanted.url)} takes {total:,} bytes, and {free:,} are free.", "Make room first.")
    return total


def _is_page(chunk: bytes) -> bool:
    return chunk[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype html", b"<html"))


def _page(wanted: Wanted) -> UserError:
    return UserError(
        f"{shown(wanted.url)} gave a web page, not the file.",
        "Give the address of the file itself: a page to log in, to confirm or to read is none.",
    )


def _too_large(wanted: Wanted, size: int) -> UserError:
    return UserError(
        f"{shown(wanted.url)} is larger than it may be ({size:,} bytes; the most is {wanted.size or LARGEST:,}).",
        "Look at what is there; a file that is right you can bring yourself, and give its path.",
    )


def _unreachable(wanted: Wanted, error: Exception) -> OutsideError | UserError:
    if isinstance(error, ValueError):  # InvalidURL, MissingSchema, ...
        return UserError(f"{shown(wanted.url)} is no address.", "Write https://HOST/PATH.")
    return OutsideError(
        f"{shown(wanted.url)} cannot be fetched: {_reason(error)}.", "Check the connection and the address, try again."
    )


def _reason(error: Exception) -> str:
    """The error in a few words: the libraries' own are whole stack frames."""
    kinds = {
        "ConnectTimeout": "the server does not answer",
        "ReadTimeout": "the server stopped answering",
        "SSLError": "the server's certificate is not accepted",
        "ProxyError": "the proxy does not answer",
        "TooManyRedirects": "the server sends it in circles",
    }
    return kinds.get(type(error).__name__, "there is no connection to the server")
