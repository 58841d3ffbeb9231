"""What the whole site knows: the project, its pipelines, and the state of one of them by its name in an address."""

from collections.abc import Mapping
from dataclasses import dataclass

from tunegate.params import PipelineSettings
from tunegate.params_file import load_pipelines
from tunegate.review.snapshots import NotThereError, Snapshot, open_snapshot
from tunegate.tasks import options_of
from tunegate.workspace import Workspace


@dataclass(frozen=True)
class Site:
    workspace: Workspace

    def pipelines(self) -> Mapping[str, PipelineSettings]:
        """As params.yaml has them now. Raises UserError for mistakes in it."""
        return load_pipelines(self.workspace.params, options_of)

    def check(self, pipeline: str) -> str:
        """The pipeline's name. Raises NotThereError for one that params.yaml does not have."""
        known = self.pipelines()
        if pipeline not in known:
            raise NotThereError(
                f"There is no pipeline {pipeline[:60]!r}.", f"Choose one of: {', '.join(sorted(known))}."
            )
        return pipeline

    def snapshot(self, pipeline: str, ref: str) -> Snapshot:
        """Raises NotThereError."""
        return open_snapshot(self.workspace, self.check(pipeline), ref)
