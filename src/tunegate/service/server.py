"""The BentoML service. BentoML imports this module with the Bento's folder as working directory.

It reads at import which pipeline it serves, the one exception to "nothing happens at import": BentoML needs the
service's name and types then.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import bentoml

from tunegate.bento import SERVING, read_packaged
from tunegate.errors import ExitStatus
from tunegate.params import Precision
from tunegate.service.asgi import App, Layer
from tunegate.service.openapi import openapi, pages
from tunegate.service.questions import QuestionReader, Questions
from tunegate.service.room import Room
from tunegate.tasks import record_of

FOLDER = Path(SERVING).resolve()
PACKAGED = read_packaged(FOLDER)
READER = QuestionReader(record_of(PACKAGED.task).Record, PACKAGED.limits, PACKAGED.filled)


class GuardedService(bentoml.Service):  # type: ignore[misc]
    """BentoML's service behind our layer."""

    instance: "Predictions | None" = None

    def __call__(self) -> "Predictions":
        instance: Predictions = super().__call__()
        instance.open(_version(self))
        self.instance = instance
        return instance

    def to_asgi(self, is_main: bool = True) -> Layer:
        inner = cast("App", super().to_asgi(is_main=is_main))
        document = openapi(PACKAGED, record_of(PACKAGED.task), _version(self))
        return Layer(inner, self._room, READER, pages(PACKAGED, document), os.environ.get("TUNEGATE_TOKEN") or None)

    def _room(self) -> Room:
        if self.instance is None:
            raise RuntimeError("the service was asked before it had started")
        return self.instance.room


class Predictions:
    """One pipeline's model. The layer answers the hot route; what stands here is what BentoML knows of it."""

    room: Room

    def open(self, version: str) -> None:
        precision = cast("Precision | None", os.environ.get("TUNEGATE_PRECISION") or None)
        threads = int(os.environ.get("TUNEGATE_THREADS") or 1)
        self.room = Room.open(FOLDER, PACKAGED, version, precision, threads)

    @bentoml.on_deployment  # type: ignore[untyped-decorator]
    @staticmethod
    def check() -> None:
        """Runs once, before any worker: a package that is not whole ends here, with a sentence.

        In a process of its own, because the parent of the workers should not hold a model.
        """
        code = "from tunegate.service.check import main; main()"
        checked = subprocess.run([sys.executable, "-c", code, str(FOLDER)], cwd=FOLDER.parent, check=False)
        if checked.returncode != ExitStatus.PASSED:
            sys.exit(checked.returncode)

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]
    def close(self) -> None:
        self.room.close()

    @bentoml.api(route="/v1/predict", input_spec=READER.model)  # type: ignore[untyped-decorator]
    async def predict(self, records: list[Any], scores: bool = False) -> dict[str, Any]:
        """Answer records, in order."""
        questions = Questions([record.model_dump() for record in records], scores)
        answers = await self.room.ask(questions)
        return {"answers": answers, "version": self.room.version}


def _version(service: bentoml.Service) -> str:
    """The registered version where whoever serves it passed its name, else the Bento's content tag."""
    tag = str(service.bento.tag) if service.bento is not None else f"{PACKAGED.pipeline}:unpackaged"
    return os.environ.get("TUNEGATE_VERSION") or tag


service = bentoml.service(
    name=PACKAGED.pipeline,
    service_class=GuardedService,
    workers=1,
    http={"host": "127.0.0.1", "port": 3000},  # loopback unless told otherwise
    traffic={"timeout": 60},
)(Predictions)
