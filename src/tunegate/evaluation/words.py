"""Findings as sentences, for evaluate's report."""

from tunegate.evaluation.findings import Sureness, VersionFound


def version_in_words(version: VersionFound) -> str:
    """The candidate beside champion or best version: both numbers, the rows, and what was left out."""
    if version.same_as:
        return f"- {_begun(version.title)} is the {version.same_as} itself."
    if version.problem:
        return f"- Not compared: {version.problem}. {version.remedy}"
    left_out = f"{version.left_out.total:,} left out"
    if not version.rows:
        return f"- {_begun(version.title)}: no test row counts for both ({left_out})."
    name, ours = next(iter(version.ours.items()))
    pair, theirs = version.comparisons[0].difference, version.theirs[name]
    return (
        f"- {_begun(version.title)}: {name} {theirs.value:.3f}, candidate {ours.value:.3f}, on the same "
        f"{version.rows:,} rows ({left_out}); difference {pair.value:+.4f} ({pair.low:+.4f} to {pair.high:+.4f})."
    )


def sure_in_words(sure: Sureness) -> str:
    """How many answers are called sure, and whether they are right as often as was wanted."""
    if sure.threshold is None:
        return f"No answer is called sure: validation rows did not show from where on {sure.wanted:.0%} are right."
    told = f"{sure.rows:,} test rows ({sure.share:.0%})"
    right = (
        f", {sure.right.value:.3f} of them right ({sure.right.low:.3f} to {sure.right.high:.3f})" if sure.right else ""
    )
    return f"Called sure from a confidence of {sure.threshold:.3f} on, for {sure.wanted:.0%} right: {told}{right}."


def _begun(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]
