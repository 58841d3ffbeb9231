"""Base models from servers made here: a plain one, one with the addresses of Hugging Face's hub and ModelScope's."""

import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.models.encoders import tiny_encoder
from tests.models.google.published import BERT, publish
from tests.models.test_archives import packed
from tests.servers import COMMIT, Served, serving
from tunegate import downloads
from tunegate.errors import OutsideError, UserError
from tunegate.models import hubs
from tunegate.models.adding import Added, add_model
from tunegate.models.bringing import Bringing, from_address, from_hub, from_mirror
from tunegate.models.folder import read_identity
from tunegate.models.seen import seen_of
from tunegate.models.sources import Source
from tunegate.models.torch_files.reading import MAGIC
from tunegate.progress import Progress
from tunegate.workspace import Workspace

MODEL = "owner/tiny"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not to be changed."""
    return tiny_encoder("bert", tmp_path_factory.mktemp("base") / "tiny", layers=1)


@pytest.fixture
def served(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    model = tmp_path / "published" / "tiny"
    shutil.copytree(base, model)
    (model / "README.md").write_text("# tiny\n")
    (model / "flax_model.msgpack").write_bytes(b"not wanted")
    with serving(Served(models={MODEL: model})) as made:
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        monkeypatch.setenv("HF_ENDPOINT", made.address)
        monkeypatch.setenv("MODELSCOPE_DOMAIN", made.address)
        monkeypatch.delenv("HF_TOKEN", raising=False)
        yield made


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.delenv("TUNEGATE_STATE", raising=False)
    return Workspace(tmp_path / "project")


def bringing(workspace: Workspace, *, renew: bool = False) -> Bringing:
    return Bringing(workspace, Progress("add", stream=io.StringIO()), renew)


def add(workspace: Workspace, opened: AbstractContextManager[Source], *, replace: bool = False) -> tuple[Added, bool]:
    """What was added, and whether its hashes were known."""
    with opened as source:
        assert source.brought is not None
        return add_model(workspace, "tiny", source, replace=replace), source.brought.known


def meanwhile(workspace: Workspace) -> list[str]:
    """What lies under the state folder."""
    return sorted(path.name for path in workspace.state.rglob("*") if path.is_file())


def google_archive(served: Served, folder: Path, name: str = "uncased_L-2.zip", seed: int = 0) -> str:
    """Its address."""
    from tests.models.google.published import random_variables

    publish(folder / f"seed{seed}", BERT, random_variables(BERT, seed))
    served.files[f"/bert/{name}"] = packed(folder / f"seed{seed}", folder / name).read_bytes()
    return f"{served.address}/bert/{name}"


def test_googles_archive_comes_from_its_address_and_its_hash_is_recorded(
    served: Served, workspace: Workspace, tmp_path: Path
) -> None:
    address = google_archive(served, tmp_path)
    added, known = add(workspace, from_address(address, bringing(workspace)))
    assert not known and added.changed and added.trial is not None and "prediction_logits" in added.trial
    assert read_identity(workspace.model("models/tiny")).source == f"Google checkpoint {address}"
    seen = seen_of(workspace.model("models") / "sources.lock", address)
    assert seen is not None and seen.files.keys() == {"uncased_L-2.zip"}
    assert meanwhile(workspace) == []
    again, known = add(workspace, from_address(address, bringing(workspace)))
    assert known and not again.changed


def test_another_archive_at_a_known_address_is_refused_until_a_person_says_otherwise(
    served: Served, workspace: Workspace, tmp_path: Path
) -> None:
    address = google_archive(served, tmp_path)
    add(workspace, from_address(address, bringing(workspace)))
    google_archive(served, tmp_path, seed=1)
    with pytest.raises(OutsideError, match=r"not the file that data/models/sources\.lock knows: its SHA-256 is"):
        add(workspace, from_address(address, bringing(workspace)), replace=True)
    assert meanwhile(workspace) == []
    added, known = add(workspace, from_address(address, bringing(workspace, renew=True)), replace=True)
    assert added.changed and not known
    assert add(workspace, from_address(address, bringing(workspace)))[1]


def test_a_hash_that_the_catalogue_knows_counts_from_the_first_download_on(
    served: Served, workspace: Workspace, tmp_path: Path
) -> None:
    address = google_archive(served, tmp_path)
    right = hashlib.sha256(served.files["/bert/uncased_L-2.zip"]).hexdigest()
    wrong = replace(bringing(workspace), pinned={"uncased_L-2.zip": "0" * 64})
    with pytest.raises(OutsideError, match=f"not the file that the catalogue knows: its SHA-256 is {right}"):
        add(workspace, from_address(address, wrong))
    assert add(workspace, from_address(address, replace(wrong, pinned={"uncased_L-2.zip": right})))[1]


def test_an_archive_that_is_no_model_is_recorded_nowhere(served: Served, workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "vocab.txt").write_text("a\n")
    served.files["/x.zip"] = packed(tmp_path / "other", tmp_path / "x.zip").read_bytes()
    with pytest.raises(UserError, match=r"should hold one bert_config\.json or albert_config\.json"):
        add(workspace, from_address(f"{served.address}/x.zip", bringing(workspace)))
    assert not workspace.model("models").is_dir() or not list(workspace.model("models").iterdir())
    assert meanwhile(workspace) == []


def test_a_password_in_an_address_is_written_nowhere(served: Served, workspace: Workspace, tmp_path: Path) -> None:
    address = google_archive(served, tmp_path).replace("http://", "http://me:secret@") + "?signature=secret"
    way = bringing(workspace)
    add(workspace, from_address(address, way))
    assert isinstance(way.progress.stream, io.StringIO) and "secret" not in way.progress.stream.getvalue()
    written = [path for folder in (workspace.root, tmp_path) for path in folder.rglob("*") if path.is_file()]
    assert written and all(b"secret" not in path.read_bytes() for path in written)


HUBS: dict[str, tuple[hubs.HubName, str]] = {"hub": ("huggingface", COMMIT), "modelscope": ("modelscope", "")}


@pytest.mark.parametrize("word", HUBS)
def test_a_hubs_model_comes_with_the_files_of_a_base_model_alone(
    word: str, served: Served, workspace: Workspace
) -> None:
    hub, commit = HUBS[word]
    added, known = add(workspace, from_hub(hub, MODEL, bringing(workspace)))
    assert not known and added.trial is not None and "last_hidden_state [2, " in added.trial
    names = {path.name for path in workspace.model("models/tiny").iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "README.md"} <= names
    assert "flax_model.msgpack" not in names
    identity = read_identity(workspace.model("models/tiny"))
    assert (identity.source, identity.commit or "") == (f"{word} {MODEL}", commit)
    assert meanwhile(workspace) == []
    again, known = add(workspace, from_hub(hub, MODEL, bringing(workspace)))
    assert known and not again.changed


def test_a_model_of_the_hub_is_asked_for_at_the_commit_that_was_seen_first(
    served: Served, workspace: Workspace
) -> None:
    add(workspace, from_hub("huggingface", MODEL, bringing(workspace)))
    add(workspace, from_hub("huggingface", MODEL, bringing(workspace)))
    listings = [path for path, _ in served.asked if path.startswith("/api/models")]
    assert listings == [f"/api/models/{MODEL}/revision/main", f"/api/models/{MODEL}/revision/{COMMIT}"]


@pytest.mark.parametrize("word", HUBS)
def test_other_content_than_was_seen_first_is_refused(word: str, served: Served, workspace: Workspace) -> None:
    hub, _ = HUBS[word]
    add(workspace, from_hub(hub, MODEL, bringing(workspace)))
    config = served.models[MODEL] / "config.json"
    config.write_text(config.read_text().replace("0.1", "0.2"))
    with pytest.raises(OutsideError, match=r"is not the file that data/models/sources\.lock knows"):
        add(workspace, from_hub(hub, MODEL, bringing(workspace)))
    (served.models[MODEL] / "special_tokens_map.json").write_text("{}")
    with pytest.raises(
        UserError, match=r"other files than data/models/sources\.lock records: special_tokens_map\.json"
    ):
        add(workspace, from_hub(hub, MODEL, bringing(workspace)))


def test_what_has_come_of_a_hubs_model_is_not_asked_for_again(
    served: Served, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "MOST_BREAKS", 1)
    monkeypatch.setattr(downloads, "CHUNK", 1_000)
    weights = (served.models[MODEL] / "model.safetensors").stat().st_size
    served.break_after = weights // 2  # of the first file that is so long: the weights
    with pytest.raises(OutsideError):
        add(workspace, from_hub("huggingface", MODEL, bringing(workspace)))
    assert ".model.safetensors.part" in meanwhile(workspace)
    add(workspace, from_hub("huggingface", MODEL, bringing(workspace)))
    assert [headers for headers in served.ranges() if int(headers[6:-1]) > weights // 4]
    assert meanwhile(workspace) == []


def test_weights_that_are_not_those_of_the_hubs_list_are_refused(served: Served, workspace: Workspace) -> None:
    size = (served.models[MODEL] / "model.safetensors").stat().st_size
    served.listed = {"lfs": {"sha256": "1" * 64, "size": size, "pointerSize": 134}}
    with pytest.raises(OutsideError, match="is not the file that the hub knows"):
        add(workspace, from_hub("huggingface", MODEL, bringing(workspace)))
    assert not workspace.model("models/tiny").exists()


def test_a_token_goes_to_the_hub_that_it_is_for(
    served: Served, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_of_the_hub")
    monkeypatch.setenv("MODELSCOPE_API_TOKEN", "of-modelscope")
    add(workspace, from_hub("huggingface", MODEL, bringing(workspace)))
    assert {headers.get("Authorization") for _, headers in served.asked} == {"Bearer hf_of_the_hub"}
    served.asked.clear()
    add(workspace, from_hub("modelscope", MODEL, bringing(workspace)), replace=True)
    assert {headers.get("Cookie") for _, headers in served.asked} == {"m_session_id=of-modelscope"}
    assert not any("Authorization" in headers for _, headers in served.asked)


def nobody(served: Served) -> None:
    served.models.clear()


def pages(served: Served) -> None:
    served.pages = True


def silent(served: Served) -> None:
    served.silent = True


def hostile(served: Served) -> None:
    import pickle

    class Call:
        def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
            return os.system, ("touch ran",)

    (served.models[MODEL] / "model.safetensors").unlink()
    (served.models[MODEL] / "pytorch_model.bin").write_bytes(pickle.dumps(MAGIC) + pickle.dumps(Call(), protocol=2))


def sharded(served: Served) -> None:
    (served.models[MODEL] / "model.safetensors").rename(served.models[MODEL] / "model-00001-of-00002.safetensors")


def gone(served: Served) -> None:
    served.statuses[f"/{MODEL}/resolve/{COMMIT}/model.safetensors"] = 404


def busy(served: Served) -> None:
    served.statuses |= {f"/api/models/{MODEL}/revision/main": 503, f"/api/v1/models/{MODEL}/repo/files": 503}


Fault = tuple[str, Callable[[Served], None], type[UserError | OutsideError], str]

FAULTS: list[Fault] = [
    ("hub", nobody, UserError, "knows no public model owner/tiny"),
    ("hub", pages, OutsideError, "does not answer as a hub does"),
    ("hub", silent, OutsideError, "could not be brought from the hub"),
    ("hub", busy, OutsideError, "could not be brought from the hub"),
    ("hub", hostile, UserError, "is no file of weights alone: it holds a call of 'posix system'"),
    (
        "hub",
        sharded,
        UserError,
        r"holds no model\.safetensors and no pytorch_model\.bin, only model-00001-of-00002\.safetensors",
    ),
    ("hub", gone, UserError, "answered 404"),
    ("modelscope", nobody, UserError, "ModelScope knows no public model owner/tiny"),
    ("modelscope", pages, OutsideError, "does not answer as ModelScope does"),
    ("modelscope", silent, OutsideError, "could not be brought from ModelScope"),
    ("modelscope", busy, OutsideError, "could not be brought from ModelScope"),
]


@pytest.mark.parametrize("case", FAULTS, ids=lambda case: f"{case[0]}-{case[1].__name__}")
def test_what_goes_wrong_with_a_hub_is_two_sentences_and_leaves_nothing(
    case: Fault, served: Served, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    word, fault, kind, says = case
    monkeypatch.setattr(hubs, "TIMEOUT_SECONDS", 0.3)
    fault(served)
    with pytest.raises(kind, match=says) as caught:
        add(workspace, from_hub(HUBS[word][0], MODEL, bringing(workspace)))
    assert caught.value.remedy
    assert not workspace.model("models").exists()


@pytest.mark.parametrize(
    "case",
    [
        (f"/{MODEL}", "HF_ENDPOINT", f"/api/models/{MODEL}/revision/main"),
        (f"/{MODEL}/", "HF_ENDPOINT", f"/api/models/{MODEL}/revision/main"),
        (f"/{MODEL}/tree/{COMMIT}", "HF_ENDPOINT", f"/api/models/{MODEL}/revision/{COMMIT}"),
        (f"/models/{MODEL}/summary", "MODELSCOPE_DOMAIN", f"/api/v1/models/{MODEL}/repo/files"),
    ],
)
def test_the_address_of_a_models_page_is_that_model(
    case: tuple[str, str, str], served: Served, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, hub, asked = case
    monkeypatch.delenv({"HF_ENDPOINT", "MODELSCOPE_DOMAIN"}.difference([hub]).pop())
    add(workspace, from_address(f"{served.address}{page}", bringing(workspace)))
    assert served.asked[0][0] == asked


@pytest.mark.parametrize("word", HUBS)
def test_a_models_pickled_weights_are_read_as_data(word: str, served: Served, workspace: Workspace) -> None:
    import torch
    from safetensors.torch import load_file

    model = served.models[MODEL]
    weights = load_file(model / "model.safetensors")
    torch.save(weights, model / "pytorch_model.bin")
    (model / "model.safetensors").unlink()
    added, known = add(workspace, from_hub(HUBS[word][0], MODEL, bringing(workspace)))
    assert added.changed and not known
    made = load_file(workspace.model("models/tiny") / "model.safetensors")
    assert made.keys() == weights.keys() and all(torch.equal(made[name], weights[name]) for name in weights)
    assert not (workspace.model("models/tiny") / "pytorch_model.bin").exists()
    again, known = add(workspace, from_hub(HUBS[word][0], MODEL, bringing(workspace)))
    assert known and not again.changed


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("ftp://host/a.zip", "is no address that can be fetched"),
        ("https:///a.zip", "is no address that can be fetched"),
        ("https://host/a.pdf", r"is the address of no \.zip or \.tar\.gz"),
        ("https://host/..%2F..%2Fa.zip", r"is the address of no \.zip or \.tar\.gz"),
        ("https://host/", r"is the address of no \.zip or \.tar\.gz"),
    ],
)
def test_an_address_of_nothing_is_refused_before_anybody_is_asked(
    address: str, says: str, workspace: Workspace
) -> None:
    with pytest.raises(UserError, match=says):
        add(workspace, from_address(address, bringing(workspace)))


def test_a_mirrors_files_are_compared_with_what_was_seen_first(
    served: Served, workspace: Workspace, tmp_path: Path
) -> None:
    add(workspace, from_hub("huggingface", MODEL, bringing(workspace)))
    mirror = tmp_path / "mirror"
    shutil.copytree(served.models[MODEL], mirror)
    source = f"hub {MODEL}@main"
    added, known = add(workspace, from_mirror(source, mirror, bringing(workspace)))
    assert known and not added.changed
    (mirror / "README.md").write_text("# another\n")
    with pytest.raises(UserError, match=r"README\.md is not the file that is known of hub owner/tiny@main"):
        add(workspace, from_mirror(source, mirror, bringing(workspace)))
    with pytest.raises(UserError, match="The mirror has no"):
        add(workspace, from_mirror(source, tmp_path / "none", bringing(workspace)))


def test_the_record_is_a_text_that_two_people_can_merge(served: Served, workspace: Workspace, tmp_path: Path) -> None:
    lock = workspace.model("models") / "sources.lock"
    add(workspace, from_hub("modelscope", MODEL, bringing(workspace)))
    add(workspace, from_hub("huggingface", MODEL, bringing(workspace)), replace=True)
    sources = json.loads(lock.read_text())["sources"]
    assert list(sources) == [f"hub {MODEL}@main", f"modelscope {MODEL}@master"]
    assert sources[f"hub {MODEL}@main"]["commit"] == COMMIT and "commit" not in sources[f"modelscope {MODEL}@master"]
    lock.write_text("<<<<<<< HEAD")
    with pytest.raises(UserError, match=r"sources\.lock is damaged"):
        add(workspace, from_hub("huggingface", MODEL, bringing(workspace)))
