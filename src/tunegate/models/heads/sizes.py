"""What a head takes from the config of whatever encoder it stands on."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PretrainedConfig

RATES = ("classifier_dropout", "hidden_dropout_prob", "seq_classif_dropout", "hidden_dropout", "mlp_dropout", "dropout")
USUAL_RATE = 0.1


def dropout_of(config: "PretrainedConfig") -> float:
    """The rate that the family's own heads have, by whichever name it goes."""
    given = (getattr(config, name, None) for name in RATES)
    return float(next((rate for rate in given if rate is not None), USUAL_RATE))
