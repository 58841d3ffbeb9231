"""Which answers a model may be called sure of, fitted on validation rows (what test rows say of it: `sureness`)."""

from collections.abc import Iterator, Mapping

import pyarrow as pa

from tunegate.evaluation.right import right_of
from tunegate.statistics.abstention import NEVER, SURE_ABOVE, SURE_PRECISION, threshold_for
from tunegate.task import AnswerPart, Fitted


def fit_sureness(
    answering: AnswerPart, answers: pa.Table, records: pa.Table, labels: list[str], wanted: float
) -> Fitted:
    """What is exported beside the temperature: the threshold, and the share of right answers it is for."""
    if len(records) == 0:
        return {SURE_ABOVE: NEVER, SURE_PRECISION: wanted}
    right = right_of(answering.counts(answers, records, labels))
    return {SURE_ABOVE: threshold_for(answering.confidence(answers), right, wanted), SURE_PRECISION: wanted}


def sureness_in_words(name: str, fitted: Mapping[str, float | list[float]]) -> Iterator[str]:
    """A line for export's report."""
    threshold = fitted.get(SURE_ABOVE)
    if threshold == NEVER:
        yield (
            f"\n{name} is never called sure: the validation rows do not show any answers of which "
            f"{fitted[SURE_PRECISION]:.0%} are surely right. More validation rows may."
        )
    elif isinstance(threshold, float):
        yield f"\n{name} is called sure from a confidence of {threshold:.3f} on."
