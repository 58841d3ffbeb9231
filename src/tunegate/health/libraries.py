"""Whether the libraries here are those that a run was prepared with: others may make other results."""

from tunegate.errors import UserError
from tunegate.inputs import Inputs
from tunegate.versions.inputs import library_versions


def other_libraries(inputs: Inputs) -> dict[str, tuple[str, str]]:
    """Library to the version in inputs.json and the one here, where they differ; a build's own part (`+cu126`) is no
    difference."""
    here = library_versions()
    return {
        name: (wanted, here[name])
        for name, wanted in inputs.environment.items()
        if name in here and _public(wanted or here[name]) != _public(here[name])
    }


def check_libraries(inputs: Inputs) -> None:
    """Raises UserError: what dvc.lock says of the stage would not be true."""
    if others := other_libraries(inputs):
        listed = ", ".join(f"{name} {here} (the run has {wanted})" for name, (wanted, here) in others.items())
        raise UserError(
            f"This worker has other libraries than the run: {listed}.",
            "Install those of the run here, from its constraints.txt, and start the worker again.",
        )


def _public(version: str) -> str:
    return version.partition("+")[0]
