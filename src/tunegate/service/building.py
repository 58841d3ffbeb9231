"""What `tunegate.bento.building` asks of BentoML, run in a process of its own with `BENTOML_HOME` set."""

import json
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import attr
import bentoml
from bentoml._internal.bento.bento import Bento
from bentoml._internal.bento.build_config import BentoBuildConfig
from bentoml._internal.configuration import set_quiet_mode

CREATED = datetime(2000, 1, 1, tzinfo=UTC)  # a real time would make every build another one


def build(staging: str, tag: str, out: str) -> None:
    """The staging folder to a Bento at `out`."""
    set_quiet_mode(True)
    os.chdir(staging)
    name, _, number = tag.partition(":")
    config = BentoBuildConfig.from_file("bentofile.yaml")
    bento = Bento.create(attr.evolve(config, name=name), version=number, build_ctx=staging)
    folder = Path(bento.path)
    _make_constant(folder, bento)
    shutil.copytree(folder, out)


def store(folder: str) -> None:
    """Into the store under `BENTOML_HOME`."""
    bento = Bento.from_path(folder)
    try:
        bento.save()
    except bentoml.exceptions.BentoMLException:
        if not bentoml.bentos.list(bento.tag):  # another process was faster
            raise


def _make_constant(folder: Path, bento: Bento) -> None:
    """One creation time, and our own description of the API in place of BentoML's."""
    info = attr.evolve(bento.info, creation_time=CREATED)
    with (folder / "bento.yaml").open("w", encoding="utf-8") as file:
        info.dump(file)
    from tunegate.service.openapi import openapi
    from tunegate.service.server import PACKAGED
    from tunegate.tasks import record_of

    document = openapi(PACKAGED, record_of(PACKAGED.task), str(bento.tag))
    # JSON is YAML: one writer for both
    (folder / "apis" / "openapi.yaml").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
