"""What test rows say of the answers that are called sure."""

import pyarrow as pa

from tunegate.evaluation.findings import Sureness
from tunegate.evaluation.right import right_of
from tunegate.evaluation.scores import share
from tunegate.statistics.abstention import NEVER, SURE_ABOVE, SURE_PRECISION, surely
from tunegate.task import AnswerPart, Counts, Fitted


def sureness(answering: AnswerPart, answers: pa.Table, counts: Counts, fitted: Fitted) -> Sureness | None:
    """On test rows; None where no precision was wanted."""
    sure = surely(answering.confidence(answers), fitted)
    wanted, threshold = fitted.get(SURE_PRECISION), fitted.get(SURE_ABOVE)
    if sure is None or not isinstance(wanted, float) or not isinstance(threshold, float):
        return None
    chosen = int(sure.sum())
    return Sureness(
        wanted=wanted,
        threshold=None if threshold == NEVER else threshold,
        rows=chosen,
        share=chosen / len(sure),
        right=share(int(right_of(counts)[sure].sum()), chosen) if chosen else None,
    )
