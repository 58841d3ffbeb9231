"""What the pre-training benchmark says of its seeds."""

from benchmarks.pretraining import table


def units(gains: list[float]) -> dict[str, dict[str, object]]:
    return {
        f"en/bert/{seed}": {
            "targets": {name: {"pretrained": 0.5 + gain, "random": 0.5} for name in ("sib200", "banking77")}
        }
        for seed, gain in enumerate(gains)
    }


def test_the_interval_is_students_of_the_paired_differences() -> None:
    head, first, second = table(units([0.1, 0.2, 0.3]))
    assert head[:2] == ["texts", "net"]
    assert first[:6] == ["en", "BERT", "sib200", "accuracy", "0.700", "0.500"]
    assert first[6:] == ["+0.200 (-0.048 to +0.448)", "3 of 3"]  # 0.2 -+ 4.303 * 0.1 / sqrt(3)
    assert second[2] == "banking77"


def test_one_seed_is_no_interval() -> None:
    assert table(units([0.1]))[1][6] == "+0.100 (-inf to +inf)"
