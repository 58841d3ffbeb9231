"""The pools' job templates through the workers of Prefect's own packages, as far as that goes without a cluster."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest

from tests.deploy.units import DEPLOY

pytestmark = pytest.mark.slow


def configured(kind: Any, name: str, variables: dict[str, Any]) -> Any:
    """As a worker does for a flow run. The client is asked only where a template names blocks."""
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import FlowRun

    template = json.loads((DEPLOY / "pools" / name).read_text(encoding="utf-8"))
    client = PrefectClient("http://127.0.0.1:9/api")
    made = asyncio.run(kind.from_template_and_values(template, variables, client=client))
    made.prepare_for_flow_run(FlowRun(id=uuid4(), flow_id=uuid4(), name="a-run"))
    return made


def test_templates_are_those_of_the_pinned_packages_with_our_values() -> None:
    """Otherwise: `python -m scripts.job_templates`."""
    pytest.importorskip("prefect_docker")
    pytest.importorskip("prefect_kubernetes")
    from scripts.job_templates import TEMPLATES, text_of

    for name, make in TEMPLATES.items():
        assert (DEPLOY / "pools" / name).read_text(encoding="utf-8") == text_of(make())


def test_a_kubernetes_run_is_a_job_that_the_cluster_would_take() -> None:
    worker = pytest.importorskip("prefect_kubernetes.worker")
    schemas = pytest.importorskip("kubernetes_validate")
    job = configured(worker.KubernetesWorkerJobConfiguration, "kubernetes-gpu.json", {"gpus": 2}).job_manifest
    schemas.validate(job, "1.31", strict=True)
    [container] = job["spec"]["template"]["spec"]["containers"]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == 2
    assert container["args"] == ["prefect", "flow-run", "execute"]
    assert {"secretRef": {"name": "tunegate"}} in container["envFrom"]


def test_a_docker_run_is_a_container_with_cards_and_without_rights() -> None:
    worker = pytest.importorskip("prefect_docker.worker")
    from docker.models.containers import _create_container_args

    made = configured(worker.DockerWorkerJobConfiguration, "docker-gpu.json", {})
    told = _create_container_args(
        {"image": made.image, "command": made.command, "version": "1.45", **made.container_create_kwargs}
    )["host_config"]
    [card] = told["DeviceRequests"]
    assert (card["Driver"], card["Count"], card["Capabilities"]) == ("nvidia", -1, [["gpu"]])
    assert (told["CapDrop"], told["SecurityOpt"], told["Init"]) == (["ALL"], ["no-new-privileges"], True)
    assert made.privileged is False
