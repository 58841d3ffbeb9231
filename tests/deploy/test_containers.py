"""Image, compose file, job templates and manifests: right by their schemas, as pinned, and free of secrets."""

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.deploy.commands import mistake_in
from tests.deploy.units import DEPLOY, ROOT, UNITS, read_environment, read_unit
from tunegate.health.project import read_constraints

COMPOSE = DEPLOY / "compose" / "compose.yaml"
DOCKERFILE = DEPLOY / "image" / "Dockerfile"
TEMPLATES = sorted((DEPLOY / "pools").glob("*.json"))
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
OLDEST_KUBERNETES = "1.31"
VERSION = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)


def loaded(path: Path) -> list[Any]:
    return list(YAML(typ="safe").load_all(path.read_text(encoding="utf-8")))


def compose() -> dict[str, Any]:
    [found] = loaded(COMPOSE)
    return dict(found)


def parts() -> dict[str, dict[str, Any]]:
    """The services of our own image."""
    return {name: part for name, part in compose()["services"].items() if part["image"].startswith("tunegate:")}


def pinned(line: str) -> tuple[str, str]:
    name, version = line.split(maxsplit=1)[0].split("==")
    return re.sub(r"[_.]", "-", name.lower()), version


def test_the_image_installs_what_is_pinned_and_checks_every_hash() -> None:
    """Otherwise: `python -m scripts.lock_image`, with Python 3.11 on x86-64."""
    lines = (DEPLOY / "image/requirements.txt").read_text(encoding="utf-8").splitlines()[1:]
    constraints = read_constraints(ROOT / "constraints.txt")
    found = dict(map(pinned, lines))
    assert {name: constraints.get(name) for name in found} == found
    assert all(re.fullmatch(r"\S+==\S+ --hash=sha256:[0-9a-f]{64}", line) for line in lines)
    assert {"prefect", "prefect-redis", "asyncpg", "dvc", "bentoml"} <= set(found)
    assert "torch" not in found


def test_what_the_image_copies_is_there_and_let_into_its_context() -> None:
    text = DOCKERFILE.read_text(encoding="utf-8")
    copied = [name for line in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE) for name in line.split()]
    ignore = (DEPLOY / "image/Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    names = [name for name in copied if not name.startswith("--")]
    assert "src" in names and "constraints.txt" in names
    for name in names:
        assert (ROOT / name).exists(), name
        assert any(name == line[1:] for line in ignore if line.startswith("!")), name


def test_the_image_runs_as_nobody_special() -> None:
    text = DOCKERFILE.read_text(encoding="utf-8")
    assert re.search(r"^USER 10001:10001$", text.split("\nFROM ")[-1], re.MULTILINE)
    assert not re.search(r"^(ARG|ENV) .*(TOKEN|PASSWORD|SECRET|AUTH)", text, re.MULTILINE)


def test_the_compose_file_is_one_by_the_specification() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    vendored = files(pytest.importorskip("check_jsonschema")) / "builtin_schemas/vendor/compose-spec.json"
    validator = jsonschema.Draft202012Validator(json.loads(vendored.read_text(encoding="utf-8")))
    assert [error.message for error in validator.iter_errors(compose())] == []
    wrong = compose()
    wrong["services"]["server"]["restarts"] = "always"
    assert list(validator.iter_errors(wrong)) != []


def test_compose_names_only_files_secrets_and_parts_that_exist() -> None:
    whole = compose()
    folder = COMPOSE.parent
    for name, part in whole["services"].items():
        for file in part.get("env_file", []):
            assert (folder / file).is_file(), file
        secrets = {secret if isinstance(secret, str) else secret["source"] for secret in part.get("secrets", [])}
        assert secrets <= set(whole["secrets"]), name
        assert set(part.get("depends_on", {})) <= set(whole["services"])
        assert set(part["networks"]) <= set(whole["networks"])
        for volume in part.get("volumes", []):
            source = re.sub(r"^\$\{[^}]*\}", "project", volume).split(":")[0]
            assert source in {"project", *whole["volumes"]} or (folder / source).exists(), volume


def test_compose_and_systemd_start_the_same() -> None:
    """With the same secrets, the database's password apart: systemd's PostgreSQL knows the user by the socket."""
    for part, unit in (
        ("migrate", "tunegate-migrate"),
        ("server", "tunegate-server"),
        ("services", "tunegate-services"),
        ("worker", "tunegate-worker"),
    ):
        ours = parts()[part]
        theirs = read_unit(UNITS / f"{unit}.service")
        words = [word.rsplit("/", 1)[-1] for word in theirs.command]
        assert [word for word in ours["command"] if word != "with-secrets"] == [w for w in words if w != "with-secrets"]
        assert {*ours["secrets"]} - {"PREFECT_SERVER_DATABASE_PASSWORD"} == {*theirs.credentials}


def test_migrations_come_before_server_and_services() -> None:
    for name in ("server", "services"):
        assert parts()[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_containers_may_do_nothing_and_only_the_proxy_is_reached() -> None:
    whole = compose()
    for name, part in whole["services"].items():
        assert "no-new-privileges:true" in part["security_opt"], name
        assert ("ports" in part) == (name == "proxy")
    for name, part in parts().items():
        assert part["read_only"] and part["cap_drop"] == ["ALL"] and part["user"] == "10001:10001", name
    assert whole["networks"]["inside"]["internal"]
    for name in ("database", "redis", "server", "services"):
        assert whole["services"][name]["networks"] == ["inside"]


def test_no_secret_stands_in_a_container_s_description() -> None:
    for path in [COMPOSE, *MANIFESTS, *TEMPLATES, *(DEPLOY / "compose").glob("*.env")]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"://[^/@\s:\"']*:(?!\$\{)[^/@\s]+@", text), path.name
    for name, part in compose()["services"].items():
        assert not [key for key in part.get("environment", {}) if re.search("TOKEN|PASSWORD$|AUTH_STRING|KEY", key)], (
            name
        )


def test_the_commands_of_containers_exist() -> None:
    for name, part in parts().items():
        words = " ".join(part["command"]).replace('"$$REVIEW_NAME"', "x").replace('"$$PIPELINE"', "support").split()
        if "tunegate" in words:
            assert not mistake_in(words[words.index("tunegate") + 1 :]), name


def test_images_are_of_this_version() -> None:
    assert VERSION is not None
    for path in [COMPOSE, DOCKERFILE, *MANIFESTS, *TEMPLATES]:
        found = re.findall(r"\btunegate:(\d[\w.]*)", path.read_text(encoding="utf-8"))
        assert found and set(found) == {VERSION[1]}, path.name


def test_containers_in_compose_differ_from_one_machine_in_addresses_alone() -> None:
    for name in ("client.env", "server.env"):
        assert set(read_environment(DEPLOY / "compose" / name)) <= set(read_environment(DEPLOY / name))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_job_template_uses_the_variables_that_it_declares(path: Path) -> None:
    template = json.loads(path.read_text(encoding="utf-8"))
    used = set(re.findall(r"\{\{ (\w+) \}\}", json.dumps(template["job_configuration"])))
    assert used == set(template["variables"]["properties"])
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(template["variables"])


def filled(value: Any, variables: dict[str, Any]) -> Any:
    """A template with its defaults; what has none is left out, as Prefect does."""
    if isinstance(value, dict):
        made = {key: filled(each, variables) for key, each in value.items()}
        return {key: each for key, each in made.items() if each is not None}
    if isinstance(value, list):
        return [filled(each, variables) for each in value]
    name = re.fullmatch(r"\{\{ (\w+) \}\}", value) if isinstance(value, str) else None
    return variables[name[1]].get("default") if name else value


def job() -> dict[str, Any]:
    template = json.loads((DEPLOY / "pools/kubernetes-gpu.json").read_text(encoding="utf-8"))
    manifest = filled(template["job_configuration"]["job_manifest"], template["variables"]["properties"])
    manifest["metadata"]["generateName"] = "run-"
    return dict(manifest)


def test_the_jobs_of_the_kubernetes_pool_are_jobs_by_its_schema_and_ask_for_a_card() -> None:
    schemas = pytest.importorskip("kubernetes_validate")
    schemas.validate(job(), OLDEST_KUBERNETES, strict=True)
    pod = job()["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert pod["securityContext"]["runAsNonRoot"] and not pod["automountServiceAccountToken"]
    wrong = job()
    wrong["spec"]["template"]["spec"]["gpus"] = 1
    with pytest.raises(schemas.ValidationError):
        schemas.validate(wrong, OLDEST_KUBERNETES, strict=True)


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_manifests_are_what_kubernetes_takes(path: Path) -> None:
    schemas = pytest.importorskip("kubernetes_validate")
    documents = loaded(path)
    assert len(documents) > 1
    for document in documents:
        schemas.validate(document, OLDEST_KUBERNETES, strict=True)
        assert document["metadata"]["namespace"] == "tunegate"


def test_a_worker_in_kubernetes_may_start_jobs_and_no_more() -> None:
    rules = [rule for document in loaded(MANIFESTS[0]) for rule in document.get("rules", [])]
    writing = {verb for rule in rules if rule["resources"] != ["jobs"] for verb in rule["verbs"]}
    assert writing == {"get", "list", "watch"}
    assert not any("secrets" in rule["resources"] for rule in rules)
