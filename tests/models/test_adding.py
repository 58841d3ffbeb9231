import json
from pathlib import Path

import pytest
import torch

from tests.models.encoders import TEXTS, tiny_encoder
from tunegate.errors import UserError
from tunegate.models.adding import add_model, list_models
from tunegate.models.folder import longest_input, read_identity
from tunegate.models.sources import from_folder, from_package
from tunegate.text.tokens import load_tokenizer
from tunegate.workspace import Workspace


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return tiny_encoder("bert", tmp_path / "base", layers=1)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "project")


def add(workspace: Workspace, folder: Path, *, replace: bool = False) -> bool:
    return add_model(workspace, "small", from_folder(folder), replace=replace).changed


def test_a_folder_is_copied_with_a_note_of_where_it_came_from(workspace: Workspace, base: Path) -> None:
    assert add(workspace, base)
    folder = workspace.model("models/small")
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "tunegate-model.json",
    ]
    assert read_identity(folder).source == "folder base"
    assert [(model.name, model.architecture, model.layers, model.hidden) for model in list_models(workspace)] == [
        ("small", "bert", 1, 32)
    ]


def test_a_folder_of_the_hubs_cache_is_known_by_its_commit(workspace: Workspace, base: Path) -> None:
    snapshot = base.rename(base.parent / ("a1" * 20))
    add(workspace, snapshot)
    assert read_identity(workspace.model("models/small")).commit == "a1" * 20


def test_the_same_files_again_change_nothing_and_others_need_a_word(workspace: Workspace, base: Path) -> None:
    add(workspace, base)
    assert not add(workspace, base)
    other = tiny_encoder("bert", base.parent / "other", layers=2)
    with pytest.raises(UserError, match="already, with other files"):
        add(workspace, other)
    assert add(workspace, other, replace=True)
    assert list_models(workspace)[0].layers == 2


def test_a_refused_model_leaves_nothing_behind(workspace: Workspace, base: Path) -> None:
    (base / "tokenizer.json").unlink()
    with pytest.raises(UserError, match=r"neither tokenizer\.json nor vocab\.txt"):
        add(workspace, base)
    assert not list(workspace.model("models").iterdir())


def test_a_pickle_is_refused_with_the_way_out(workspace: Workspace, base: Path) -> None:
    (base / "model.safetensors").unlink()
    torch.save({}, base / "pytorch_model.bin")
    with pytest.raises(UserError, match=r"only as a pickle \(\.bin\).*save_pretrained"):
        add(workspace, base)


def test_weights_in_several_files_are_refused_with_the_way_out(workspace: Workspace, base: Path) -> None:
    (base / "model.safetensors").rename(base / "model-00001-of-00002.safetensors")
    with pytest.raises(UserError, match=r"in several files.*max_shard_size"):
        add(workspace, base)


def test_code_in_the_config_is_refused(workspace: Workspace, base: Path) -> None:
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps({**config, "auto_map": {"AutoModel": "evil.Model"}}))
    with pytest.raises(UserError, match="code of its own"):
        add(workspace, base)


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("config.json", b"{", "not valid JSON"),
        ("config.json", b"{}", "names no architecture"),
        ("model.safetensors", b"\x00" * 20, "no whole safetensors file"),
        ("tokenizer.json", b"{}", "cannot be read"),
    ],
)
def test_a_damaged_file_is_named(file: str, content: bytes, said: str, workspace: Workspace, base: Path) -> None:
    (base / file).write_bytes(content)
    with pytest.raises(UserError, match=said):
        add(workspace, base)


def test_a_tokenizer_of_another_model_is_refused(workspace: Workspace, base: Path) -> None:
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps({**config, "vocab_size": 30522}))
    with pytest.raises(UserError, match="do not match"):
        add(workspace, base)


@pytest.mark.parametrize("name", ["../x", "Big", "", "a/b", "x\n"])
def test_names_that_could_leave_the_folder_are_refused(name: str, workspace: Workspace, base: Path) -> None:
    with pytest.raises(UserError, match="is no name for a base model"):
        add_model(workspace, name, from_folder(base), replace=False)


def test_a_vocabulary_becomes_a_tokenizer_that_knows_its_words(workspace: Workspace, base: Path) -> None:
    expected = load_tokenizer(base).tokenizer
    pieces = sorted(expected.get_vocab().items(), key=lambda item: item[1])
    (base / "vocab.txt").write_text("\n".join(piece for piece, _ in pieces) + "\n")
    (base / "tokenizer.json").unlink()
    add(workspace, base)
    made = load_tokenizer(workspace.model("models/small")).tokenizer
    for text in (*TEXTS, "The CAT; café 雨"):
        assert made.encode(text).ids == expected.encode(text).ids
    assert made.encode(TEXTS[0]).tokens[1:-1] == TEXTS[0].split()
    assert made.encode("a", "b").type_ids == [0, 0, 0, 1, 1]


@pytest.mark.parametrize(("settings", "cased"), [({}, True), ({"do_lower_case": True}, False)])
def test_capitals_in_the_vocabulary_mean_case_is_kept_unless_the_settings_say_otherwise(
    settings: dict[str, object], cased: bool, tmp_path: Path
) -> None:
    from tunegate.models.vocabulary import tokenizer_from_vocabulary

    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nCat\ncat\n")
    tokens = tokenizer_from_vocabulary(tmp_path / "vocab.txt", settings).encode("Cat").tokens
    assert tokens[1] == ("Cat" if cased else "cat")


def test_a_file_that_is_no_vocabulary_is_refused(workspace: Workspace, base: Path) -> None:
    (base / "tokenizer.json").unlink()
    (base / "vocab.txt").write_text("[PAD]\n[UNK]\ncat\n")
    with pytest.raises(UserError, match=r"lacks \[CLS\], \[SEP\], \[MASK\]"):
        add(workspace, base)


def test_a_package_that_holds_a_model_is_found_without_running_it(tmp_path: Path, base: Path) -> None:
    package = tmp_path / "packages" / "holds_a_model"
    base.rename(tmp_path / "moved")
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('this must not run')\n")
    (tmp_path / "moved").rename(package / "model")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(package.parent))
        source = from_package("holds-a-model")
    assert (source.folder, source.description) == (package / "model", "package holds-a-model")


@pytest.mark.parametrize("name", ["surely-not-installed", "json", "no name"])
def test_a_package_without_a_model_is_said(name: str) -> None:
    with pytest.raises(UserError):
        from_package(name)


def test_a_robertas_position_table_has_rows_that_are_never_reached() -> None:
    rows = {"max_position_embeddings": 514, "pad_token_id": 1}
    assert longest_input({"model_type": "roberta", **rows}) == 512
    assert longest_input({"model_type": "bert", "max_position_embeddings": 512}) == 512
    assert longest_input({"model_type": "deberta-v2"}) is None


def test_an_alberts_sentencepiece_model_becomes_its_tokenizer(workspace: Workspace, tmp_path: Path) -> None:
    from tests.models.google.published import SENTENCEPIECES, sentencepiece_model

    folder = tiny_encoder("albert", tmp_path / "albert", layers=1)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "vocab_size": len(SENTENCEPIECES)}))
    (folder / "tokenizer.json").unlink()
    with pytest.raises(UserError, match=r"neither tokenizer.json nor vocab.txt \(nor, of an ALBERT, spiece.model\)"):
        add(workspace, folder)
    (folder / "spiece.model").write_bytes(sentencepiece_model())
    add(workspace, folder)
    tokenizer = load_tokenizer(workspace.model("models/small")).tokenizer
    assert tokenizer.encode("The weather 1,").tokens == ["[CLS]", "▁the", "▁weather", "▁", "1", ",", "[SEP]"]
