"""The gate's self-test on a real run's files: the real gate, the real model, and numbers that make sense."""

from dataclasses import replace

import numpy as np
import pytest

from tests.gate.evidence import TASK, answers, labels, right
from tests.gate.versions import rows as make_rows
from tests.trained import PIPELINE, Trained
from tunegate.errors import UserError
from tunegate.evaluation.findings import Findings
from tunegate.gate.regressions import Original
from tunegate.gate.selftest import SelfTest, Subject, selftest
from tunegate.gate.subject import observed_discordance, read_subject
from tunegate.gate.trials import Answered, Ground, counts_of
from tunegate.params import GateSettings
from tunegate.task import Metric
from tunegate.tasks import answering_of


def invented(rows: int, margin: float) -> Subject:
    """A model that is right on nine rows of ten, and answers label 0 to every text that was broken."""
    truth = labels(rows)
    known = sorted(set(truth))
    records, task = make_rows(truth), answering_of(TASK)
    original = Original(task, records, answers(right(truth, 0.9), known), known, ("label",))
    cut = records.append_column("length", records["id"]) if "length" not in records.column_names else records
    ground = Ground(
        task.METRICS[0], cut, ("label",), GateSettings(margin=margin, slices=["label"], max_calibration_error=None)
    )
    return Subject("demo", ground, original, 0.06, lambda _: answers(["label 0"] * rows, known), ("text",))


def run(subject: Subject, trials: int = 25) -> SelfTest:
    return selftest(subject, trials, 0, lambda done, total: None)


def test_enough_rows_pass_an_equal_model_and_stop_the_broken_ones() -> None:
    found = {line.name: line for line in run(invented(2000, 0.03)).measured}
    assert found["an equal model"].passed > 0.75 and found["an equal model"].failed <= 0.05
    assert found["1 point better"].passed > 0.9
    assert found["10% of the answers at random"].passed == 0
    for line in found.values():
        assert line.passed + line.undecided + line.failed == pytest.approx(1)
        if line.how == "run" or "never" in line.name or "10%" in line.name:
            assert line.failed > 0.9 and line.change < -0.05


def test_few_rows_are_undecided_and_the_check_is_named() -> None:
    equal = run(invented(100, 0.01), 15).measured[0]
    assert equal.undecided > 0.5
    assert next(iter(equal.because)) == "no regression"


def test_the_same_seed_gives_the_same_numbers() -> None:
    assert run(invented(200, 0.02), 3) == run(invented(200, 0.02), 3)


def test_a_units_members_are_drawn_together_and_apart_from_their_copies() -> None:
    subject = invented(60, 0.05)
    groups = [f"g{number // 3}" for number in range(60)]
    table = subject.ground.rows.set_column(subject.ground.rows.column_names.index("group"), "group", [groups])
    metric = Metric("hits", "hits", True, "group", lambda sums: sums["correct"] / sums["n"])
    ground = replace(subject.ground, rows=table, metric=metric)
    rows = ground.drawn(np.random.default_rng(0))
    assert len(rows) == 60
    assert (rows.reshape(-1, 3) // 3 == rows.reshape(-1, 3)[:, :1] // 3).all()
    model = Answered(counts_of(np.arange(60) % 2 == 0))
    [version] = ground.evidence(rows, model.at(rows, metric), model.at(rows, metric)).findings.versions
    assert version.comparisons[0].difference.n == 20  # as many groups as were drawn, copies counted apart


def test_a_run_is_read_as_it_was_left(judged: Trained) -> None:
    subject = read_subject(judged.workspace, PIPELINE, GateSettings(margin=0.1, baselines=["majority"]))
    assert len(subject.ground.rows) == 48 and set(subject.ground.baselines) == {"majority", "tfidf"}
    assert subject.ask(subject.original.records)["label"].to_pylist() == subject.original.answers["label"].to_pylist()
    found = {line.name: line for line in run(subject, 10).measured}
    assert found["100% of the vocabulary swapped"].change < -0.1
    assert found["100% of the vocabulary swapped"].failed == 1


def test_a_pipeline_that_was_never_run_is_a_sentence(judged: Trained) -> None:
    with pytest.raises(UserError, match=r"evaluate\.json of other is missing"):
        read_subject(judged.workspace, "other", GateSettings())


def test_without_a_champion_the_usual_discordance_is_taken(judged: Trained) -> None:
    text = judged.workspace.report(PIPELINE, "evaluate").read_text(encoding="utf-8")
    assert observed_discordance(Findings.model_validate_json(text)) is None
