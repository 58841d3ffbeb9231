"""The card that travels with a Bento as its README and its description in BentoML's lists."""

from tunegate.bento import Packaged
from tunegate.exported import Manifest

LABELS_SHOWN = 100


def card(packaged: Packaged, manifest: Manifest) -> str:
    """Markdown: what it is, what it was judged to be, and how to start it. The same for the same inputs."""
    labels = [f"`{label}`" for label in manifest.labels[:LABELS_SHOWN]]
    if len(manifest.labels) > LABELS_SHOWN:
        labels.append(f"and {len(manifest.labels) - LABELS_SHOWN:,} more")
    base = manifest.base_model
    lines = [
        f"- task: {packaged.task}",
        f"- labels: {', '.join(labels)}",
        *([f"- base model: {base.name} ({base.source})"] if base else []),
        f"- computed by {manifest.engine} in {' or '.join(manifest.precisions)}",
        f"- texts of up to {manifest.max_length} tokens; what is longer is cut",
        *([f"- gate: {packaged.verdict['verdict']}"] if "verdict" in packaged.verdict else []),
        *[f"- {name} rows judged on: sha256 {digest}" for name, digest in sorted(packaged.data.items())],
    ]
    return "\n".join(
        [
            f"# {packaged.pipeline}",
            "",
            *([packaged.description, ""] if packaged.description else []),
            *lines,
            "",
            "Start it with `bentoml serve` and this folder's whole path; `GET /` of the running service describes it,",
            "`POST /v1/predict` answers.",
            "",
        ]
    )
