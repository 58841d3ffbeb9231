"""The picture of the page that stands in the README."""

import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.picture import HEIGHT, TARGET, WIDTH, take
from tests.review.conftest import Server

if TYPE_CHECKING:
    from playwright.sync_api import Browser

MOST_BYTES = 200_000
DRAWN = 100  # different lines of pixels; a blank picture has one or two


def lines(picture: Path) -> tuple[int, int, int]:
    """Width and height of a PNG, and how many different lines it has, each as it is stored (filtered)."""
    content = picture.read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    place, packed, width, height = 8, b"", 0, 0
    while place < len(content):
        size, kind = struct.unpack_from(">I4s", content, place)
        if kind == b"IHDR":
            width, height = struct.unpack_from(">II", content, place + 8)
        elif kind == b"IDAT":
            packed += content[place + 8 : place + 8 + size]
        place += size + 12  # its length, its kind and its checksum
    pixels = zlib.decompress(packed)
    long = len(pixels) // height
    return width, height, len({pixels[start : start + long] for start in range(0, len(pixels), long)})


def test_a_model_page_makes_a_picture_with_its_verdict_drawn(
    browser: "Browser", looked_at: Server, tmp_path: Path
) -> None:
    take(browser, f"{looked_at.url}/p/demo/model/{looked_at.made.ref}", tmp_path / "review.png")
    width, height, different = lines(tmp_path / "review.png")
    assert (width, height) == (WIDTH, HEIGHT)
    assert different > DRAWN
    (tmp_path / "blank.html").touch()
    take(browser, (tmp_path / "blank.html").as_uri(), tmp_path / "blank.png")
    assert lines(tmp_path / "blank.png")[2] < DRAWN


def test_the_readmes_begin_with_the_picture_and_it_is_small() -> None:
    assert lines(TARGET)[:2] == (WIDTH, HEIGHT)
    assert TARGET.stat().st_size < MOST_BYTES
    for name in ("README.md", "README.zh.md"):
        head = "\n".join((TARGET.parents[2] / name).read_text(encoding="utf-8").splitlines()[:8])
        assert "](docs/images/review.png)" in head
