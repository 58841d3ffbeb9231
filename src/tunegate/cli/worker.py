"""`tunegate worker`: this machine runs stages for runs that are started elsewhere."""

from typing import Annotated, Literal

import typer

from tunegate.errors import ExitStatus


def add_to(app: typer.Typer) -> None:
    app.command("worker")(worker)


def worker(
    pool: Annotated[str, typer.Argument(help="the work pool, as in resources.<stage>.pool")],
    device: Annotated[Literal["cuda", "cpu"], typer.Option(help="what its stages compute on")] = "cuda",
    stages: Annotated[int, typer.Option(min=1, help="how many may run here at once")] = 1,
    check: Annotated[bool, typer.Option("--check", help="look whether this machine is fit, and end")] = False,
) -> None:
    """Run stages for runs elsewhere: trees from git, data by hash, results pushed back; until Ctrl-C.

    Needs PREFECT_API_URL (the server that the runs use) and, outside a clone, TUNEGATE_REPOSITORY (its git address).
    """
    from flows.clones import clone_here
    from flows.worker import WorkerOrder, work
    from tunegate.cli.doctor import show
    from tunegate.health.worker import worker_findings

    clone = clone_here(print)
    broken = [finding.name for finding in map(show, worker_findings(clone, device)) if finding.state == "broken"]
    if broken:
        print(f"\nNo stage could run here: {', '.join(broken)}.")
        raise typer.Exit(ExitStatus.MISTAKE)
    if not check:
        work(clone, WorkerOrder(pool, device, stages), print)
