"""BentoML's own side: the Bento as a folder, served as BentoML's users do."""

import json
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.service.tiny_export import LABELS
from tunegate.bento import environment
from tunegate.bento.running import Address, serve_command
from tunegate.exported import GOLDEN, read_manifest, write_json, write_manifest
from tunegate.service.check import main as check

BOTH_WAYS = """
import asyncio, json, httpx
from tunegate.service.server import service

async def ask(app):
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        records = [{"text": "rain"}, {"text": "a", "text_b": "b"}]
        bodies = [{"records": records, "scores": scores} for scores in (False, True)]
        return [(await client.post("/v1/predict", json=body)).json() for body in bodies]

async def main():
    layer = service.to_asgi()
    async with layer.inner.router.lifespan_context(layer.inner):
        print("\\n" + json.dumps([await ask(layer), await ask(layer.inner)]))
asyncio.run(main())
"""

HIDDEN = "torch", "transformers", "prefect", "dvc", "great_expectations", "sklearn"  # pyarrow takes pandas where it is


def run_inside(bento: Path, home: Path, code: str) -> str:
    """Code with the Bento's folder as BentoML sets it: working directory and first place of the path."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=bento / "src",
        env=environment(home),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


def test_bentomls_own_api_gives_the_same_answers_as_the_hot_route(bento: Path, tmp_path: Path) -> None:
    hot, plain = json.loads(run_inside(bento, tmp_path, BOTH_WAYS))
    assert all(answer.pop("request_id") for answer in hot)
    assert hot == plain and len(hot[0]["answers"]) == 2 and "scores" in hot[1]["answers"][0]


def test_a_bento_serves_from_its_own_sources_and_loads_nothing_of_the_workshop(bento: Path, tmp_path: Path) -> None:
    code = """
import sys, json
from pathlib import Path
from tunegate.service.server import FOLDER, PACKAGED
from tunegate.service.room import Room
Room.open(FOLDER, PACKAGED, "x")
ours = [str(m.__file__) for n, m in sys.modules.items() if n.split(".")[0] == "tunegate"]
print(json.dumps([sorted(n for n in sys.modules if "." not in n), ours]))
"""
    loaded, ours = json.loads(run_inside(bento, tmp_path, code))
    assert not set(HIDDEN) & set(loaded)
    assert ours and all(Path(file).is_relative_to(bento.resolve()) for file in ours)


def changed(bento: Path, where: Path) -> Path:
    shutil.copytree(bento, where)
    return where / "src" / "serving"


def refusal(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    monkeypatch.setattr(sys, "argv", ["check", str(folder)])
    with pytest.raises(SystemExit) as ended:
        check()
    assert ended.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize("name", ["openvino/model.bin", "openvino/model.xml", "tokenizer.json", "fitted.json", GOLDEN])
def test_a_changed_byte_in_any_file_stops_the_service(
    name: str, bento: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = changed(bento, tmp_path / "bento")
    path = folder / "export" / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    said = refusal(folder, monkeypatch, capsys)
    assert "does not start" in said and name in said and "SHA-256" in said


def test_a_changed_label_stops_the_service(
    bento: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = changed(bento, tmp_path / "bento")
    manifest = folder / "export" / "manifest.json"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace("weather", "climate"), encoding="utf-8")
    assert "digest" in refusal(folder, monkeypatch, capsys)


def test_permuted_labels_stop_the_service_even_with_a_fresh_manifest(
    bento: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = changed(bento, tmp_path / "bento")
    export = folder / "export"
    manifest = read_manifest(export).model_copy(update={"labels": LABELS[::-1]})
    golden = json.loads((export / GOLDEN).read_text(encoding="utf-8"))
    write_json(export / GOLDEN, {**golden, "labels": LABELS[::-1]})
    sealed = write_manifest(export, manifest)
    note = json.loads((folder / "serving.json").read_text(encoding="utf-8"))
    write_json(folder / "serving.json", {**note, "export": sealed.digest})
    said = refusal(folder, monkeypatch, capsys)
    assert "golden rows otherwise" in said


def test_another_export_than_was_packaged_stops_the_service(
    bento: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = changed(bento, tmp_path / "bento")
    manifest = read_manifest(folder / "export").model_copy(update={"max_length": 16})
    write_manifest(folder / "export", manifest)
    assert "another digest" in refusal(folder, monkeypatch, capsys)


def test_bentoml_serve_of_a_damaged_bento_ends_with_a_sentence(bento: Path, tmp_path: Path) -> None:
    folder = changed(bento, tmp_path / "bento")
    with (folder / "export" / "tokenizer.json").open("ab") as file:
        file.write(b" ")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = serve_command(tmp_path / "bento", Address("127.0.0.1", port))
    done = subprocess.run(
        command, env=environment(tmp_path / "home"), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "the service does not start" in done.stderr and "tokenizer.json" in done.stderr
