"""What can be told of a PNG without a library for pictures."""

import struct
import zlib
from pathlib import Path

DRAWN = 100  # different lines of pixels; a blank picture has one or two


def lines(picture: Path) -> tuple[int, int, int]:
    """Width and height, and how many different lines it has, each as it is stored (filtered)."""
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
