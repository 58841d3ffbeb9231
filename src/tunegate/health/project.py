"""The project: packages, git, settings, DVC, data, where it may write."""

import json
import re
import shutil
import tempfile
from configparser import ConfigParser
from pathlib import Path
from urllib.parse import urlsplit

from tunegate.errors import TunegateError
from tunegate.health.finding import Finding, output_of
from tunegate.workspace import Workspace

MARKS = ("<<<<<<< ", "=======", ">>>>>>> ")  # git writes them where a merge waits for a person
DISK_NEEDED_GB, DISK_COMFORTABLE_GB = 1, 5  # a run of the example takes about 0.5 GB, a BERT base run 3


def packages(workspace: Workspace) -> Finding:
    """The installed versions against constraints.txt."""
    from importlib.metadata import distributions

    installed = {_canonical(d.metadata["Name"]): d.version for d in distributions()}
    wanted = read_constraints(workspace.root / "constraints.txt")
    required = required_names()
    missing = sorted(name for name in required if name not in installed)
    if missing:
        return Finding(
            "packages", "broken", f"Not installed: {', '.join(missing)}.", "Run `make run`, or pip install them."
        )
    other = sorted(
        f"{name} {installed[name]} (tried: {version})"
        for name, version in wanted.items()
        if name in installed and installed[name].split("+")[0] != version
    )
    if other:
        return Finding(
            "packages",
            "warning",
            f"{len(other)} of {len(wanted)} differ from constraints.txt: {', '.join(other[:5])}.",
            "If something behaves oddly: pip install -c constraints.txt -e '.[example,dev]'.",
        )
    return Finding("packages", "ok", f"{len(required)} required packages are there, all versions as in constraints.txt")


def read_constraints(path: Path) -> dict[str, str]:
    """Package name, canonical, to its pinned version; empty where there is no such file."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    pins = (line.split("#")[0].split(";")[0].strip().split("==") for line in lines)
    return {_canonical(pin[0]): pin[1] for pin in pins if len(pin) == 2}


def required_names() -> list[str]:
    from importlib.metadata import requires

    lines = (line for line in requires("tunegate") or () if "extra ==" not in line)
    return [_canonical(match.group()) for line in lines if (match := re.match(r"[A-Za-z0-9._-]+", line))]


def _canonical(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def git(workspace: Workspace) -> Finding:
    if not shutil.which("git"):
        return Finding("git", "broken", "git is not installed.", "Install it, for example: apt install git.")
    if output_of("git", "rev-parse", "--is-inside-work-tree", where=workspace.root) != "true":
        return Finding(
            "git",
            "broken",
            "The project's folder is no git repository (a zip download has none).",
            "Clone it with git; or: git init && git add -A && git commit -m start.",
        )
    missing = [key for key in ("user.name", "user.email") if not output_of("git", "config", key, where=workspace.root)]
    version = output_of("git", "--version", where=workspace.root).removeprefix("git version ")
    if missing:
        return Finding(
            "git",
            "warning",
            f"git {version}, without {' and '.join(missing)}: you cannot commit what a run changes.",
            'git config user.name "You"; git config user.email you@example.com',
        )
    return Finding("git", "ok", f"git {version}, a repository")


def settings(workspace: Workspace) -> Finding:
    from tunegate.pipelines import pipelines_of

    try:
        pipelines = pipelines_of(workspace)
    except TunegateError as error:
        return Finding("settings", "broken", error.problem, error.remedy)
    count = "1 pipeline" if len(pipelines) == 1 else f"{len(pipelines)} pipelines"
    return Finding("settings", "ok", f"params.yaml is right: {count} ({', '.join(pipelines)})")


def dvc_repository(workspace: Workspace) -> Finding:
    if not (workspace.root / ".dvc").is_dir():
        return Finding("dvc", "broken", "There is no .dvc folder.", "git checkout .dvc; or: dvc init.")
    remotes = [line.split("\t")[0].split(" ")[0] for line in _dvc_remotes(workspace)]
    if not remotes:
        return Finding(
            "dvc", "warning", "No DVC remote is set: data stays on this machine.", "dvc remote add -d store s3://..."
        )
    return Finding("dvc", "ok", f"remotes: {', '.join(remotes)}")


LOCK_REMEDY = (
    "git checkout -- dvc.lock (or delete it: what was made before is restored from DVC's cache and not made again)"
)


def lock_file(workspace: Workspace) -> Finding:
    """Whether DVC can read dvc.lock, which git merges line by line and people never write."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    path = workspace.root / "dvc.lock"
    if not path.is_file():
        return Finding("dvc.lock", "ok", "there is none yet: the first run writes it")
    try:
        text = path.read_text(encoding="utf-8")
        if mark := next((number for number, line in enumerate(text.splitlines(), 1) if line.startswith(MARKS)), None):
            return Finding("dvc.lock", "broken", f"dvc.lock:{mark} is a mark of an unfinished git merge.", LOCK_REMEDY)
        content = YAML(typ="safe").load(text)
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        why = str(getattr(error, "problem", None) or error)
        line = f":{mark.line + 1}" if (mark := getattr(error, "problem_mark", None)) else ""
        return Finding("dvc.lock", "broken", f"dvc.lock{line} is not valid YAML: {why}.", LOCK_REMEDY)
    if not isinstance(content, dict) or not isinstance(content.get("stages", {}), dict):
        return Finding("dvc.lock", "broken", "dvc.lock holds no stages.", LOCK_REMEDY)
    return Finding("dvc.lock", "ok", f"dvc.lock can be read: {len(content.get('stages', {}))} stages")


def _dvc_remotes(workspace: Workspace) -> list[str]:
    sections: list[str] = []
    for name in ("config", "config.local"):
        parser = ConfigParser(interpolation=None)
        parser.read(workspace.root / ".dvc" / name, encoding="utf-8")
        sections += [section for section in parser.sections() if "remote" in section]
    return sorted({section.strip("'").removeprefix('remote "').rstrip('"') for section in sections})


def tracked_data(workspace: Workspace) -> Finding:
    """Whether what a `.dvc` file names is there; contents are DVC's to compare. A run fetches what it needs."""
    files = sorted((workspace.root / "data").glob("*/*.dvc"))
    missing = [workspace.relative(file.with_suffix("")) for file in files if not file.with_suffix("").exists()]
    there = f"{len(files) - len(missing)} of {len(files)} tracked folders are there"
    if not missing:
        return Finding("data", "ok", there)
    return Finding(
        "data",
        "ok",
        f"{there}, not {', '.join(missing[:5])}: a run fetches what it needs",
        f"dvc pull {' '.join(f'{name}.dvc' for name in missing[:5])}",
    )


def write_access(workspace: Workspace) -> Finding:
    for folder in (workspace.root, workspace.state):
        nearest = next(parent for parent in (folder, *folder.parents) if parent.exists())
        try:
            with tempfile.TemporaryFile(dir=nearest):
                pass
        except OSError as error:
            return Finding(
                "write access",
                "broken",
                f"{nearest} cannot be written: {error.strerror}.",
                "Give yourself the right to write there; TUNEGATE_STATE moves the state folder.",
            )
    return Finding("write access", "ok", f"project and state folder ({workspace.relative(workspace.state)})")


def own_port(workspace: Workspace) -> int | None:
    """Of the server that `tunegate up` keeps for this project, by what it wrote down; None where there is none."""
    try:
        told = json.loads((workspace.state / "up" / "up.json").read_text(encoding="utf-8"))
        return urlsplit(str(told["url"])).port
    except (OSError, ValueError, KeyError, TypeError):
        return None


def disk(workspace: Workspace) -> Finding:
    free = shutil.disk_usage(workspace.root).free / 1e9
    if free >= DISK_COMFORTABLE_GB:
        return Finding("disk", "ok", f"{free:.0f} GB free")
    return Finding(
        "disk",
        "broken" if free < DISK_NEEDED_GB else "warning",
        f"Only {free:.1f} GB are free; a run needs {DISK_NEEDED_GB} and more with a large base model.",
        "Free some; `dvc gc -w` and deleting .tunegate/ give back what can be made again.",
    )
