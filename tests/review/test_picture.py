"""The picture of the page that stands in the README; `test_browser` makes one like it."""

from scripts.picture import HEIGHT, ROOT, TARGET, WIDTH
from tests.review.drawn import DRAWN, lines

MOST_BYTES = 200_000


def test_the_readmes_begin_with_the_picture_and_it_is_small() -> None:
    width, height, different = lines(TARGET)
    assert (width, height) == (WIDTH, HEIGHT)
    assert different > DRAWN
    assert TARGET.stat().st_size < MOST_BYTES
    for name in ("README.md", "README.zh.md"):
        head = "\n".join((ROOT / name).read_text(encoding="utf-8").splitlines()[:8])
        assert "](docs/images/review.png)" in head
