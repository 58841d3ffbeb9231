"""`tunegate ablate`: does augmentation, or any other setting, pay on this pipeline's rows?"""

import json
import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tunegate.errors import UserError
from tunegate.workspace import Workspace

if TYPE_CHECKING:
    from tunegate.ablation.judging import Ablation, Paid

Split = Literal["test", "validation"]


def add_to(app: typer.Typer) -> None:
    app.command("ablate")(ablate)


def ablate(
    pipeline: Annotated[str, typer.Argument(help="a pipeline that has been run")],
    without: Annotated[
        list[str] | None, typer.Option(help="what may not be needed, at its default: augment, train.r_drop, ...")
    ] = None,
    setting: Annotated[
        list[str] | None, typer.Option("--set", help='what may help: "augment.swap=1 augment.deletion=1"')
    ] = None,
    each: Annotated[bool, typer.Option("--each", help="Of augmentation, every operation alone too.")] = False,
    seeds: Annotated[int, typer.Option(help="trainings with and without it", min=2, max=100)] = 5,
    worth: Annotated[
        float | None, typer.Option(help="smallest gain worth having, a share (default: gate.margin)", min=0, max=1)
    ] = None,
    on: Annotated[str, typer.Option(help="the rows that judge: test or validation")] = "test",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for other programs.")] = False,
) -> None:
    """Train with and without a setting, several seeds, and say whether it pays. The pipeline itself stays as it is.

    Without --without and --set it is augmentation that is judged. Each --without and --set is tried alone. A killed
    command goes on where it was; what was tried before is not done again.
    """
    import os

    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the stages have it

    from tunegate.ablation import arms
    from tunegate.ablation.judging import ablate as run
    from tunegate.ablation.place import Place
    from tunegate.ablation.trying import Ground
    from tunegate.progress import Progress

    if on not in ("test", "validation"):
        raise UserError(f"--on {on}: there are no such rows.", "Choose test or validation.")
    workspace = Workspace.find()
    base = arms.settings_of(workspace, pipeline)
    changes = [*map(arms.without, without or ()), *map(arms.with_settings, setting or ())]
    if changes and each:
        raise UserError("--each goes with augmentation alone.", "Leave out --each, or --without and --set.")
    found = arms.arms(workspace, pipeline, changes or arms.augmentation(base, each))
    ground = Ground(Place(workspace, pipeline), on)
    ground.check(base)
    gain = base.gate.margin if worth is None else worth
    result = run(ground, found, seeds, gain, Progress("ablate", sys.stderr))
    if as_json:
        print(json.dumps(result.model_dump(mode="json"), indent=2, ensure_ascii=False))
    else:
        _show(result)


def _show(found: "Ablation") -> None:
    better = "more is better" if found.higher_is_better else "less is better"
    print(
        f"{found.pipeline}: {found.metric} ({better}) of {found.rows:,} {found.split} rows, the same for all; "
        f"{100 * found.confidence:.3g} % intervals over seeds and rows."
    )
    for paid in found.found:
        _show_paid(paid)


def _show_paid(paid: "Paid") -> None:
    print(f"\n{paid.change}\n{'seed':>8} {'with':>10} {'without':>10}")
    for pair in paid.seeds:
        print(f"{pair.seed:>8} {pair.with_it:>10.4f} {pair.without_it:>10.4f}")
    means = (sum(values) / len(values) for values in zip(*((p.with_it, p.without_it) for p in paid.seeds), strict=True))
    print("{:>8} {:>10.4f} {:>10.4f}".format("mean", *means))
    print(paid.sentence)
