"""`tunegate params` lists what the typed settings hold."""

import json

import pytest

from tunegate.cli import run_command
from tunegate.cli.params import all_settings, type_in_words


def test_every_setting_has_a_meaning() -> None:
    assert [row.key for row in all_settings() if not row.meaning] == []


def test_one_setting_is_shown_with_default_limits_and_meaning(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["params", "train.epochs"]) == 0
    assert capsys.readouterr().out == (
        "train.epochs: 3  (whole number, at least 1, at most 1000)\n    passes over the training rows\n"
    )


def test_the_alias_that_people_write_is_the_key_that_is_shown() -> None:
    keys = {row.key for row in all_settings()}
    assert "validate.budget" in keys
    assert not any(key.startswith("validation.") for key in keys)


def test_settings_below_a_users_own_name_are_listed() -> None:
    assert "validate.checks.<name>.action" in {row.key for row in all_settings()}


def test_a_section_is_listed_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    run_command(["params", "split", "--json"])
    rows = json.loads(capsys.readouterr().out)["settings"]
    assert {row["key"] for row in rows} == {"split.test", "split.validation", "split.seed"}
    assert rows[0] == {
        "key": "split.test",
        "type": "number",
        "default": "0.2",
        "limits": "at least 0, below 1",
        "meaning": "share of rows for the test split (auto rows)",
    }


def test_a_mistyped_setting_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["params", "train.epoch"]) == 2
    assert 'Did you mean "train.epochs"?' in capsys.readouterr().err


def test_types_are_said_in_words() -> None:
    assert type_in_words(dict[str, int | None]) == "mapping of text to whole number or null"
    assert type_in_words(list[float]) == "list of number"
