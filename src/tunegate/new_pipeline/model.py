"""The base model of a new pipeline: one that is there, or that another pipeline makes."""

from tunegate.errors import UserError, did_you_mean
from tunegate.params_file import read_params
from tunegate.workspace import Workspace

DEFAULT = "models/minilm"  # `make run` brings it


def check_model(workspace: Workspace, name: str) -> str:
    """The name itself. Raises UserError when a run could not find it: no folder, no `.dvc` file, no pipeline's."""
    folder = workspace.model(name)
    if folder.is_dir() or folder.with_name(f"{folder.name}.dvc").is_file():
        return name
    if name.partition("/")[0] in read_params(workspace.params)["pipelines"]:
        return name
    known = _known(workspace)
    kept = folder.name if name.startswith("models/") else name.replace("/", "-")
    raise UserError(
        f"--model {name}: there is no data/{name} (and no data/{name}.dvc to bring it from).{_meant(name, known)} "
        f"Base models here: {', '.join(known) or 'none'}.",
        f"Bring it first: `tunegate models add {kept}` with --package, --folder or --hub; nothing was written.",
    )


def _known(workspace: Workspace) -> list[str]:
    folder = workspace.model("models")
    found = [path for path in folder.glob("*") if path.is_dir() or path.suffix == ".dvc"]
    return sorted({f"models/{path.name.removesuffix('.dvc')}" for path in found if not path.name.startswith(".")})


def _meant(name: str, known: list[str]) -> str:
    return f' Did you mean "models/{name}"?' if f"models/{name}" in known else did_you_mean(name, known)
