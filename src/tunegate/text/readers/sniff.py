"""What a file really is: wrong kinds of file are named before a reader makes thousands of odd rejects of them."""

from pathlib import Path

from tunegate.errors import UserError

HEAD = 4096  # bytes that are looked at

# The first bytes of well-known kinds, longest first where one is the start of another.
SIGNATURES: tuple[tuple[bytes, str, str], ...] = (
    (b"\x1f\x8b", "a gzip archive", "Unpack it (gunzip) and use the file inside."),
    (b"PK\x03\x04", "a zip archive (or an XLSX file)", "Unpack it, or name it .xlsx if it is a spreadsheet."),
    (b"PK\x05\x06", "an empty zip archive", "Make the file again."),
    (b"PAR1", "a Parquet file", "Name it .parquet, or set ingest.format: parquet."),
    (b"ARROW1", "an Arrow file", "Name it .arrow, or set ingest.format: huggingface."),
    (b"BZh", "a bzip2 archive", "Unpack it (bunzip2) and use the file inside."),
    (b"\xfd7zXZ", "an xz archive", "Unpack it (unxz) and use the file inside."),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", "Unpack it (unzstd) and use the file inside."),
    (b"7z\xbc\xaf", "a 7z archive", "Unpack it and use the file inside."),
    (b"%PDF", "a PDF document", "Export its table as CSV."),
    (b"\xd0\xcf\x11\xe0", "an old .xls file or a spreadsheet with a password", "Save it as .xlsx without a password."),
    (b"SQLite format 3", "an SQLite database", "Export its table as CSV."),
    (b"\x93NUMPY", "a NumPy array", "Export the rows as Parquet or CSV."),
    (
        b"version https://git-lfs.github.com/spec/",
        "a Git LFS pointer",
        "Fetch the data itself with `git lfs pull`.",
    ),
)
KIND_OF = {"parquet": b"PAR1", "xlsx": b"PK\x03\x04"}


def refuse_wrong_kind(path: Path, source: str, form: str, encoding: str = "utf-8") -> None:
    """Raises UserError when the file is empty or its first bytes say that it is no file of this format."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head:
        raise UserError(f"{source} is empty.", "Put the rows in it, or leave the file out of ingest.files.")
    expected = KIND_OF.get(form)
    if expected and head.startswith(expected):
        return
    for signature, what, remedy in SIGNATURES:
        if head.startswith(signature):
            raise UserError(f"{source} is {what}, not {_article(form)} file.", remedy)
    if expected:
        raise UserError(
            f"{source} is not {_article(form)} file: its first bytes are {head[:8]!r}.",
            "Set ingest.format to what it is, or make the file again.",
        )
    _refuse_wrong_text(head, source, form, encoding)


def _refuse_wrong_text(head: bytes, source: str, form: str, encoding: str) -> None:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html", b"<?xml", b"<head")):
        raise UserError(
            f"{source} is HTML or XML, not {_article(form)} file: probably a failed download.",
            "Open it in a browser to see what it says, and fetch the data again.",
        )
    wide = _wide_encoding(head)
    if wide and not encoding.lower().replace("_", "-").startswith(("utf-16", "utf-32", "utf16", "utf32")):
        raise UserError(
            f"{source} looks like {wide.upper()}, not {encoding.upper()}.",
            f"Declare it with ingest.encoding: {wide}, or save the file as UTF-8.",
        )


def _wide_encoding(head: bytes) -> str | None:
    """UTF-16 and UTF-32 by their byte order mark, else by where the zero bytes of ASCII characters stand."""
    for mark, name in (
        (b"\xff\xfe\x00\x00", "utf-32"),
        (b"\x00\x00\xfe\xff", "utf-32"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if head.startswith(mark):
            return name
    places = [head[start::4].count(0) / max(1, len(head[start::4])) for start in range(4)]
    if min(sorted(places)[1:]) > 0.5:  # three bytes of four are zero in UTF-32's ASCII characters
        return "utf-32-le" if places[0] < 0.5 else "utf-32-be"
    even, odd = (places[0] + places[2]) / 2, (places[1] + places[3]) / 2
    if max(even, odd) > 0.2 and min(even, odd) < 0.1 * max(even, odd):  # a Chinese text keeps ASCII line ends, commas
        return "utf-16-le" if odd > even else "utf-16-be"
    return None


def _article(form: str) -> str:
    return {"jsonl": "a JSON lines", "xlsx": "an XLSX", "parquet": "a Parquet", "arrow": "an Arrow"}.get(
        form, f"a {form.upper()}"
    )
