"""params.yaml: wrong settings are named with file, line, key and value, all of them at once."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunegate.errors import UserError
from tunegate.params import PipelineSettings, TrainSettings
from tunegate.params_file import load_pipelines, read_yaml
from tunegate.tasks import TASKS, options_of

TASK = next(iter(TASKS))
GOOD = f"""\
pipelines:
  shop:
    task: {TASK}
    data: shop
    model: models/minilm
"""
ROOT = Path(__file__).parent.parent


def load(folder: Path, text: str | bytes) -> dict[str, PipelineSettings]:
    path = folder / "params.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_pipelines(path, options_of)


def complaint(folder: Path, text: str | bytes) -> str:
    with pytest.raises(UserError) as caught:
        load(folder, text)
    return caught.value.problem


def test_a_control_character_is_said_and_no_fault_of_ours(tmp_path: Path) -> None:
    assert "params.yaml:1 is not valid YAML: unacceptable character #x0000" in complaint(
        tmp_path, GOOD + '    a: "\0"\n'
    )


# What is written below the good pipeline (its lines are 1 to 5, so the first line here is 6) and what must be said.
WRONG = {
    "an unknown section": ("    trian: {epochs: 3}", '6: pipelines.shop.trian is no setting. Did you mean "train"?'),
    "an unknown setting": (
        "    train:\n      epochs: 3\n      learning_rat: 1.0e-4",
        '8: pipelines.shop.train.learning_rat is no setting. Did you mean "learning_rate"?',
    ),
    "a setting nothing is like": ("    split: {zzz: 1}", "is no setting. Here stand: test, validation, seed"),
    "a word for a number": (
        "    train: {epochs: three}",
        '6: pipelines.shop.train.epochs must be a whole number, found "three"',
    ),
    "a quoted number": ("    train: {epochs: '3'}", 'train.epochs must be a whole number, found "3"'),
    "a fraction of an epoch": ("    train: {epochs: 2.5}", "train.epochs must be a whole number, found 2.5"),
    "true for a number": ("    train: {epochs: true}", "train.epochs must be a whole number, found true"),
    "no epochs": ("    train: {epochs: 0}", "train.epochs must be at least 1, found 0"),
    "a negative learning rate": (
        "    train: {learning_rate: -1.0e-4}",
        "train.learning_rate must be above 0, found -0.0001",
    ),
    "an infinite learning rate": ("    train: {learning_rate: .inf}", "train.learning_rate must be"),
    "a floor that is not a number": ("    gate: {floor: .nan}", "gate.floor must be a finite number"),
    "a share of more than everything": ("    split: {test: 1.5}", "split.test must be below 1, found 1.5"),
    "a per cent sign": ("    validate: {budget: 5%}", 'validate.budget must be a number, found "5%"'),
    "splits that leave nothing": ("    split: {test: 0.6, validation: 0.4}", "split must leave rows to train on"),
    "a mistyped choice": (
        "    train: {tune: ful}",
        'train.tune must be one of full, partial, lora, head, found "ful". Did you mean "full"?',
    ),
    "a mistyped split": (
        "    ingest:\n      files: {'*.csv': trian}",
        'ingest.files.*.csv must be one of train, validation, test, auto, found "trian". Did you mean "train"?',
    ),
    "yes for true": ("    validate: {personal_data: yes}", 'validate.personal_data must be true or false, found "yes"'),
    "a list for a section": ("    train: [epochs, 3]", "train must be a mapping of settings"),
    "a section without a value": ("    train:", "6: pipelines.shop.train has no value"),
    "a text for a mapping": ("    ingest: {columns: text}", "ingest.columns must be a mapping"),
    "a text for a list": ("    export: {precisions: fp32}", "export.precisions must be a list"),
    "no precision": ("    export: {precisions: []}", "export.precisions must not be empty"),
    "an unknown precision": ("    export: {precisions: [int8]}", "must be one of fp32, bf16"),
    "an encoding nobody knows": (
        "    ingest: {encoding: utf9}",
        "ingest.encoding must be an encoding that Python knows",
    ),
    "a delimiter of two": ("    ingest: {delimiter: '||'}", "ingest.delimiter must be one character"),
    "frozen layers of a full run": (
        "    train: {frozen_layers: 2}",
        "must not set frozen_layers without `tune: partial`",
    ),
    "an action nobody takes": (
        "    validate:\n      checks:\n        DUP_EXACT: {action: delete}",
        "8: pipelines.shop.validate.checks.DUP_EXACT.action must be one of quarantine, warn, fail, off",
    ),
    "lengths that exclude everything": (
        "    validate: {min_characters: 9, max_characters: 3}",
        "must allow some length",
    ),
    "an option the task does not have": ("    options: {speed: 3}", "6: pipelines.shop.options.speed is no setting"),
    "a text for options": ("    options: fast", "options must be a mapping"),
    "a date for a text": ("    description: 2020-01-01", "description must be text (put it in quotes)"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_setting_is_said_with_line_key_and_value(name: str, tmp_path: Path) -> None:
    lines, sentence = WRONG[name]
    said = complaint(tmp_path, f"{GOOD}{lines}\n")
    assert said.startswith("params.yaml has 1 mistake:\n  params.yaml:")
    assert sentence in said


def test_the_usual_causes_of_broken_yaml_are_named(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    for text, hint in (
        ("pipelines:\n\tshop: 1\n", "Use blanks, not tabs."),
        ("a:\n  - b\n c: 1\n", "indentation differs from the lines above."),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(UserError) as caught:
            read_yaml(path)
        assert hint in caught.value.remedy


BROKEN = {
    "not YAML": ("pipelines:\n  shop: [1,\n", "params.yaml:3 is not valid YAML"),
    "a tab": ("pipelines:\n\tshop: 1\n", "params.yaml:2 is not valid YAML"),
    "a key twice": (f"{GOOD}    data: other\n", 'params.yaml:6 is not valid YAML: found duplicate key "data"'),
    "not UTF-8": (b"pipelines:\n  shop: {task: caf\xe9}\n", "cannot be read"),
    "empty": ("", "has no mapping `pipelines`"),
    "a list": ("- pipelines\n", "has no mapping `pipelines`"),
    "pipelines that are none": ("pipelines: shop\n", "has no mapping `pipelines`"),
    "a key beside pipelines": (f"{GOOD}seed: 3\n", "params.yaml:6: seed is unknown"),
    "a pipeline that is none": (
        "pipelines:\n  shop: 3\n",
        "params.yaml:2: pipelines.shop must be a mapping of settings",
    ),
    "an empty pipeline": ("pipelines:\n  shop:\n", "params.yaml:2: pipelines.shop has no value"),
    "a pipeline without a task": ("pipelines:\n  shop: {data: a, model: m}\n", "2: pipelines.shop.task is missing"),
    "an unknown task": (
        GOOD.replace(TASK, f"{TASK}s"),
        f'3: pipelines.shop.task names no task. There is no task "{TASK}s"',
    ),
    "a shouted name": (GOOD.replace("  shop:", "  SHOP:"), "2: pipelines.SHOP stands for a pipeline"),
    "a reserved name": (
        GOOD.replace("  shop:", "  models:"),
        "models and raw are reserved",
    ),
    "a name with a line break": (GOOD.replace("  shop:", '  "shop\\n":'), "is not a pipeline name"),
    "a number for a name": (GOOD.replace("  shop:", "  12:"), "'12' is not a pipeline name"),
    "a path out of data": (GOOD.replace("data: shop", "data: ../secrets"), "4: pipelines.shop.data must match"),
    "a model out of data": (GOOD.replace("models/minilm", "models/../../x"), "5: pipelines.shop.model must"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_wrong_file_is_said_with_its_line(name: str, tmp_path: Path) -> None:
    text, sentence = BROKEN[name]
    assert sentence in complaint(tmp_path, text)


def test_all_mistakes_are_listed_at_once_in_the_files_order(tmp_path: Path) -> None:
    said = complaint(
        tmp_path,
        "pipelines:\n  One:\n    task: nothing\n    data: a\n    model: m\n    train: {epochs: 0, seed: x}\n"
        "  two: {task: 3}\nextra: 1\n",
    )
    assert said.startswith("params.yaml has 8 mistakes:")
    parts = ("One", "nothing", "epochs", "seed", "two.task", "two.data", "two.model", "extra")
    assert [part for part in parts if part not in said] == []


def test_a_short_file_gets_every_default(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD)["shop"].train == TrainSettings()


def test_exponents_are_numbers_as_people_write_them(tmp_path: Path) -> None:
    for written in ("2e-5", "2.0e-5", "0.00002"):
        settings = load(tmp_path, f"{GOOD}    train: {{learning_rate: {written}}}\n")["shop"]
        assert settings.train.learning_rate == 2e-5


def test_the_projects_own_file_is_right() -> None:
    assert load_pipelines(ROOT / "params.yaml", options_of)


def test_settings_survive_the_way_through_inputs_json(tmp_path: Path) -> None:
    settings = load(tmp_path, GOOD)["shop"]
    assert PipelineSettings.model_validate(settings.model_dump(mode="json", by_alias=True)) == settings


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(), v, max_size=3),
    )
)
def test_no_value_of_a_setting_is_a_bug(value: object) -> None:
    """Whatever stands there is accepted or a mistake of the person, never a crash."""
    from pydantic import ValidationError
    from ruamel.yaml.comments import CommentedMap

    from tunegate.mistakes import Place, sentences

    with suppress(UserError):
        try:
            PipelineSettings.model_validate({"task": TASK, "data": "a", "model": "m", "train": value})
        except ValidationError as error:
            place = Place(Path("params.yaml"), CommentedMap(), ())
            raise UserError("; ".join(sentences(error, place, PipelineSettings)), "") from error
