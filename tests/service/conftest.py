"""One tiny export and one Bento of it for all tests of the service."""

from pathlib import Path

import pytest

from tests.service.client import Client
from tunegate.bento import Packaged
from tunegate.bento.building import build
from tunegate.exported import read_manifest
from tunegate.params import ServiceSettings
from tunegate.predictor import Predictor
from tunegate.service.room import Room

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.service.tiny_export import tiny_export

    folder = tmp_path_factory.getbasetemp() / "tiny" / "export"  # one for all rooms that take this fixture
    return folder if folder.is_dir() else tiny_export(folder)


@pytest.fixture(scope="session")
def packaged(export: Path) -> Packaged:
    limits = ServiceSettings(max_records=8, max_characters=500, max_body_bytes=20_000)
    manifest = read_manifest(export)
    return Packaged(pipeline="demo", task=manifest.task, export=manifest.digest, limits=limits, description="a demo")


@pytest.fixture(scope="session")
def bento(export: Path, packaged: Packaged, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.getbasetemp() / "tiny" / "bento"
    if not out.is_dir():
        build(export, packaged, ROOT / "bentofile.yaml", out)
    return out


@pytest.fixture(scope="session")
def predictor(export: Path) -> Predictor:
    return Predictor.open(export)


@pytest.fixture(scope="session")
def client(predictor: Predictor, packaged: Packaged) -> Client:
    return Client(Room(predictor, packaged, "demo@v1.0.0"))
