"""The pages as files."""

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

from tests.review.made import Made
from tunegate.review.static import write_site


class Links(HTMLParser):
    """Where a page leads, and how many forms it has."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.forms = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.forms += tag == "form"
        self.targets += [value for name, value in attrs if name in ("href", "src") and value]


def test_the_files_link_to_each_other_and_nothing_can_be_sent(made: Made, tmp_path: Path) -> None:
    count = write_site(made.workspace, tmp_path / "out")
    files = sorted((tmp_path / "out").rglob("*.html"))
    assert len(files) == count > 10
    for file in files:
        found = Links(file.read_text(encoding="utf-8"))
        targets = [file.parent / unquote(target.partition("#")[0]) for target in found.targets if target[0] != "#"]
        assert (file.name, [target for target in targets if not target.is_file()]) == (file.name, [])
        assert found.forms == 0
