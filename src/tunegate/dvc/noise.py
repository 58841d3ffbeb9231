"""DVC's lines about a stage that say nothing to people: logs keep them, terminals need not show them."""

import re

NOISE = re.compile(
    r"(\x1b\[[\d;]*m)*("
    r"dvc: failed to (reproduce|run)\b.*"  # the stage has said why in its own words
    r"|WARNING(\x1b\[[\d;]*m)*: '[^']*' is empty\."  # a stage that had nothing to make leaves its folder empty
    r")(\x1b\[[\d;]*m)*\s*"
)


def is_noise(line: str) -> bool:
    return NOISE.fullmatch(line) is not None
