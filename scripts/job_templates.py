"""The base job templates of deploy/pools: those of Prefect's packages, with what a stage on a graphics card needs.

`python -m scripts.job_templates`, with the extra `team` installed. A test holds the files equal to what is made here.
"""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "deploy" / "pools"
IMAGE = "tunegate:0.1.0-cuda"
PROJECT = "/srv/tunegate/project"  # where the image keeps its clone; deployments name the same folder
USER = 10001  # of the image
Template = dict[str, Any]


def docker() -> Template:
    """Containers on the worker's own machine, with its graphics cards."""
    from prefect_docker.worker import DockerWorker

    template = copy.deepcopy(DockerWorker.get_default_base_job_template())
    _set(template, "image", IMAGE)
    _set(template, "image_pull_policy", "IfNotPresent")
    _set(template, "auto_remove", True)
    _set(template, "networks", ["tunegate_inside"])
    _set(template, "volumes", ["tunegate_gpu:/srv/tunegate"])  # the clone and DVC's cache stay from run to run
    _set(
        template,
        "container_create_kwargs",
        {
            "device_requests": [{"driver": "nvidia", "count": -1, "capabilities": [["gpu"]]}],
            "shm_size": "8g",  # workers of torch hand batches over in shared memory
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges"],
            "init": True,
        },
    )
    return template


def kubernetes() -> Template:
    """Jobs that ask for a graphics card; the cluster's scheduler finds the node."""
    from prefect_kubernetes.worker import KubernetesWorker

    template = copy.deepcopy(KubernetesWorker.get_default_base_job_template())
    _set(template, "namespace", "tunegate")
    _set(template, "image", IMAGE)
    _set(template, "service_account_name", "tunegate-job")
    _set(template, "finished_job_ttl", 3600)
    _set(template, "job_watch_timeout_seconds", None)
    _set(template, "pod_watch_timeout_seconds", 900)  # a node with a card may have to be started first
    _set(template, "cpu_request", "4")
    _set(template, "memory_request", "16Gi")
    _set(template, "memory_limit", "32Gi")
    variables = template["variables"]["properties"]
    variables["gpus"] = {
        "title": "Graphics cards",
        "description": "How many of one node the stage gets.",
        "default": 1,
        "type": "integer",
        "minimum": 0,
    }
    job = template["job_configuration"]["job_manifest"]["spec"]
    pod = job["template"]["spec"]
    for key in ("completions", "parallelism"):  # the package has them among the pod's fields: no schema has
        job[key] = pod.pop(key)
    pod["automountServiceAccountToken"] = False
    pod["securityContext"] = {
        "runAsNonRoot": True,
        "runAsUser": USER,
        "runAsGroup": USER,
        "fsGroup": USER,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    pod["volumes"] = [
        {"name": "project", "emptyDir": {"sizeLimit": "100Gi"}},
        {"name": "shared-memory", "emptyDir": {"medium": "Memory", "sizeLimit": "8Gi"}},
        {"name": "ssh", "secret": {"secretName": "tunegate-ssh", "defaultMode": 0o440, "optional": True}},
    ]
    [container] = pod["containers"]
    container["resources"]["limits"]["nvidia.com/gpu"] = "{{ gpus }}"
    container["securityContext"] = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    container["envFrom"] = [{"configMapRef": {"name": "tunegate"}}, {"secretRef": {"name": "tunegate"}}]
    container["volumeMounts"] = [
        {"name": "project", "mountPath": "/srv/tunegate"},
        {"name": "shared-memory", "mountPath": "/dev/shm"},
        {"name": "ssh", "mountPath": "/etc/tunegate/ssh", "readOnly": True},
    ]
    return template


def _set(template: Template, name: str, value: object) -> None:
    template["variables"]["properties"][name]["default"] = value


TEMPLATES: dict[str, Callable[[], Template]] = {"docker-gpu.json": docker, "kubernetes-gpu.json": kubernetes}


def text_of(template: Template) -> str:
    return json.dumps(template, indent=2, sort_keys=True) + "\n"


def main() -> None:
    for name, make in TEMPLATES.items():
        (FOLDER / name).write_text(text_of(make()), encoding="utf-8")


if __name__ == "__main__":
    main()
