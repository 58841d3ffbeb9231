"""The one shape of a message on data: `[CODE] 859 of 1000000 rows (0.086 %): what. First: file:line. What to do.`"""

from dataclasses import dataclass

SHOWN = 60  # characters of a text in a message


@dataclass(frozen=True)
class Finding:
    """What one check found. `refuses` is whether the data is over its limits for it."""

    code: str
    action: str  # quarantine, warn, fail
    refuses: bool
    what: str
    remedy: str
    count: int | None = None  # rows; None for a check on the data set
    total: int | None = None
    first: str | None = None  # file:line, id and the start of the text

    def sentence(self) -> str:
        """For people: one line."""
        first = f" First: {self.first}." if self.first else ""
        return f"[{self.code}] {self.counted()}{self.what}.{first} {self.remedy}"

    def counted(self) -> str:
        """`859 of 1000000 rows (0.086 %): `, or nothing for a check on the data set."""
        if self.count is None or not self.total:
            return ""
        return f"{self.count} of {self.total} rows ({percent(self.count / self.total)}): "


def percent(share: float) -> str:
    """Two significant digits: `0.086 %`, `4.9 %`, `12 %`."""
    value = 100 * share
    return f"{value:.0f} %" if value >= 10 else f"{value:.2g} %"


def place(source: str, line: int) -> str:
    """`data/raw/x/train.csv:17`, as editors open it."""
    return f"{source}:{line}"


def snippet(text: str | None) -> str:
    """The start of the text in quotes, on one line, with everything invisible spelled out."""
    text = text or ""
    return repr(text if len(text) <= SHOWN else text[: SHOWN - 1] + "…")


def some(names: list[str], shown: int = 5) -> str:
    """The first few names in quotes, and how many more there are."""
    listed = ", ".join(repr(name) for name in names[:shown])
    return listed if len(names) <= shown else f"{listed} and {len(names) - shown} more"
