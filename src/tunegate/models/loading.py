"""An encoder of any kind from a Hugging Face folder, with the task's head on it, and back into a folder.

The Auto class is named by the task's `Head`; the folder's own code is never run (no `trust_remote_code`), and
weights are safetensors only.
"""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunegate.errors import UserError, did_you_mean
from tunegate.models.base_head import BaseHead, labels_of, map_rows, renew, rows_fit
from tunegate.models.changing import adapted, changed
from tunegate.models.effects import Effect
from tunegate.models.filling import FILLING, filling_class
from tunegate.models.folder import TOKENIZER, check_folder, sizes_match
from tunegate.models.headed import headed_class
from tunegate.models.heads import HEADS
from tunegate.models.inputs_wanted import InputsWanted
from tunegate.models.lora import Lora
from tunegate.models.pooling import Pooling, check_head, head_class, pool, pooling_effects
from tunegate.models.reinitialising import reinitialise
from tunegate.models.scratch import Scratch, drawn, resize
from tunegate.task import Head

if TYPE_CHECKING:
    import torch
    from transformers import PretrainedConfig, PreTrainedModel

FIXED = ("model_type", "vocab_size")  # another architecture, or other tokens, is another base model
DROPOUTS = (  # what the families call their dropout rates
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
    "classifier_dropout_prob",
    "classifier_dropout",
    "dropout",
    "attention_dropout",
    "seq_classif_dropout",
    "hidden_dropout",
    "mlp_dropout",
    "embedding_dropout",
    "pooler_dropout",
)


@dataclass(frozen=True)
class Build:
    """How the model is to differ from its folder. `options` are the task's, `changes` the person's."""

    options: Mapping[str, Any]
    changes: Mapping[str, int | float | str | bool]
    dropout: float | None
    seed: int  # of the weights that the folder does not hold
    reinitialised_layers: int = 0
    inputs: InputsWanted = InputsWanted()
    kept_layers: int | Sequence[int] | None = None
    pooling: Pooling | None = None
    lora: Lora | None = None
    from_scratch: Scratch = "no"
    base_head: BaseHead = "kept"


@dataclass(frozen=True)
class Loaded:
    """`new`: weights that the folder does not hold and that start random; `unused`: the folder's that have no place;
    `reinitialised`: the folder's that start random all the same; `effects`: what else was changed of them."""

    model: "PreTrainedModel"
    new: tuple[str, ...]
    unused: tuple[str, ...]
    reinitialised: tuple[str, ...] = ()
    effects: tuple[Effect, ...] = ()

    def trained(self) -> "dict[str, torch.Tensor]":
        """Copies of the weights that are not frozen."""
        return {name: value.detach().clone() for name, value in self.model.named_parameters() if value.requires_grad}

    def put(self, weights: "Mapping[str, torch.Tensor]") -> None:
        """Into the model, by name."""
        for name, value in self.model.named_parameters():
            if name in weights:
                value.data.copy_(weights[name])


def load_base(folder: Path, head: Head, build: Build, vocabulary_size: int) -> Loaded:
    """The base model with a new head, float32, in training mode; the tokenizer is the one after `build.inputs`.

    Raises UserError.
    """
    import torch

    check_folder(folder)
    config = _config(folder, build)
    if build.pooling is not None:
        check_head(head)
    check_vocabulary(config, build.inputs.base_tokens or vocabulary_size, folder)
    inputs = build.inputs
    torch.manual_seed(build.seed)
    if build.from_scratch == "no":
        model, info = _from_pretrained(folder, head, config=config)
        new, unused = tuple(sorted(info["missing_keys"])), tuple(sorted(info["unexpected_keys"]))
        _check_encoder_is_there(model, new, build, folder)
        after = list(dict(build.options.get("id2label", {})).values())
        before = labels_of(folder, build.base_head) if after else []
        _check_shapes(rows_fit(info["mismatched_keys"], model, len(before), len(after)), folder, head)
        effects = map_rows(model, folder, before, after) if after and build.base_head == "kept" else ()
        renewed = renew(model) if build.base_head == "new" else ()
    else:
        if inputs.base_tokens is not None:  # drawn for the tokens that are wanted: there is no row to make any of
            config.vocab_size, inputs = inputs.tokens, inputs.model_copy(update={"base_tokens": None})
        model, effect = drawn(_model_class(folder, head, config), config, attention())
        new, unused, effects, renewed = (), (), (effect,), ()
    effects += changed(model, build.kept_layers, inputs)
    reinitialised = (*reinitialise(model, build.reinitialised_layers), *(name for name in renewed if name not in new))
    effects += (*pooling_effects(model, build.pooling), *adapted(model, build.lora))
    model.train()
    return Loaded(model, new, unused, reinitialised, effects)


def load_finished(folder: Path, head: Head) -> "PreTrainedModel":
    """A model that train wrote, float32, in evaluation mode. Raises UserError when a weight is missing."""
    model, info = _from_pretrained(folder, head)
    if info["mismatched_keys"]:
        raise _cannot_be_loaded(folder, head, "weights have other shapes than the config says")
    if info["missing_keys"]:
        raise UserError(
            f"{folder} lacks the weights {_some(sorted(info['missing_keys']))}.", "Run train again; it writes them all."
        )
    finished: PreTrainedModel = model.eval()
    return finished


def load_encoder(folder: Path) -> "PreTrainedModel":
    """The encoder alone, of a base model or of a fine-tuned one, float32, in evaluation mode. Raises UserError."""
    model, info = _from_pretrained(folder, Head("AutoModel", (), ""))
    missing = sorted(name for name in info["missing_keys"] if not name.startswith("pooler"))
    if missing:
        raise UserError(
            f"{folder} lacks the encoder's weights {_some(missing)}.",
            "Take the weights that belong to this config.json.",
        )
    encoder: PreTrainedModel = model.eval()
    return encoder


def save_model(model: "PreTrainedModel", tokenizer: Path, folder: Path) -> None:
    """A Hugging Face folder: config.json, model.safetensors and the given tokenizer file as tokenizer.json."""
    with quiet():
        model.save_pretrained(folder)
    (folder / TOKENIZER).write_bytes(tokenizer.read_bytes())


def input_names(model: "PreTrainedModel") -> tuple[str, ...]:
    """Which of a window's arrays the encoder reads, in the order of its `forward`, and then those of the head.

    A model with a single token type (RoBERTa) has the argument, and nothing to say through it.
    """
    taken = inspect.signature(model.base_model.forward).parameters
    names = [name for name in ("input_ids", "attention_mask", "token_type_ids") if name in taken]
    if getattr(model.config, "type_vocab_size", 2) < 2 and "token_type_ids" in names:
        names.remove("token_type_ids")
    return (*names, *getattr(model, "also_reads", ()))


def check_vocabulary(config: "PretrainedConfig", vocabulary_size: int, folder: Path) -> None:
    """Raises UserError unless tokenizer and embedding table are of one size (or the table is rounded up)."""
    rows = int(config.vocab_size)
    if not sizes_match(vocabulary_size, rows):
        raise UserError(
            f"{folder}: the tokenizer knows {vocabulary_size:,} tokens, the model {rows:,}: they do not match.",
            "Put the tokenizer that the model was trained with into the folder and add the model again.",
        )


def _config(folder: Path, build: Build) -> "PretrainedConfig":
    from transformers import AutoConfig

    try:
        config: PretrainedConfig = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (ValueError, OSError, KeyError) as error:
        raise UserError(
            f"{folder}/config.json cannot be used: {_first_line(error)}.",
            "Take a base model whose architecture transformers itself knows.",
        ) from error
    resize(config, build.from_scratch)
    for name, value in build.changes.items():
        _change(config, name, value, folder)
    if build.dropout is not None:
        _set_dropout(config, build.dropout, folder)
    for name, value in build.options.items():
        setattr(config, name, value)
    if build.pooling is not None:
        pool(config, build.pooling)
    return config


def _change(config: "PretrainedConfig", name: str, value: object, folder: Path) -> None:
    known = config.to_dict()
    if name not in known or name in FIXED:
        raise UserError(
            f"train.model_changes.{name}: the config of {folder} has no such setting to change."
            f"{did_you_mean(name, known)}",
            f"Choose one of: {', '.join(sorted(k for k, v in known.items() if isinstance(v, int | float)))}.",
        )
    setattr(config, name, value)


def _set_dropout(config: "PretrainedConfig", rate: float, folder: Path) -> None:
    known = [name for name in DROPOUTS if name in config.to_dict()]
    if not known:
        raise UserError(
            f"train.dropout: the config of {folder} names no dropout rate that is known here.",
            "Leave train.dropout out and set the model's own names in train.model_changes.",
        )
    for name in known:
        setattr(config, name, rate)


def _from_pretrained(folder: Path, head: Head, **more: Any) -> Any:
    import torch

    try:
        with quiet():
            model, info = _model_class(folder, head, more.get("config")).from_pretrained(
                folder,
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                dtype=torch.float32,
                attn_implementation=attention(),
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # looked at by the caller: a head may have other labels
                **more,
            )
    except (ValueError, OSError, KeyError, RuntimeError) as error:
        raise _cannot_be_loaded(folder, head, _first_line(error)) from error
    for parameter in model.parameters():
        # Weights lie where the file's header left them, often unaligned, and kernels sum unaligned rows in another
        # order: copies make the same weights give the same bits from whichever file they came.
        parameter.data = parameter.data.clone()
    return model, info


def _check_shapes(fit: bool, folder: Path, head: Head) -> None:
    if not fit:
        raise _cannot_be_loaded(folder, head, "weights have other shapes than the config says")


def _cannot_be_loaded(folder: Path, head: Head, why: str) -> UserError:
    return UserError(
        f"The model in {folder} cannot be loaded as {head.auto_class}: {why}.",
        "Take an encoder that this head can stand on, and keep train.model_changes to values that leave "
        "the shapes of the weights as they are (fewer layers, other rates).",
    )


def _model_class(folder: Path, head: Head, config: "PretrainedConfig | None") -> Any:
    """A transformers Auto class, or a class of the folder's family that fills in words, or its encoder with one of our
    own heads."""
    import transformers

    if config is None:
        config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    name = head_class(config, head)
    if name in FILLING:
        return filling_class(type(config), name)
    return headed_class(type(config), name) if name in HEADS else getattr(transformers, name)


def attention() -> str:
    """Plain products and softmax on CPUs, where torch's fused attention is slower at training; fused on GPUs."""
    import torch

    return "sdpa" if torch.cuda.is_available() else "eager"


def _check_encoder_is_there(model: "PreTrainedModel", new: tuple[str, ...], build: Build, folder: Path) -> None:
    """A pooler may be new (language models have none) and so may layers that a change added, but not the encoder."""
    prefix = f"{model.base_model_prefix}."
    missing = [name for name in new if name.startswith(prefix) and not name.startswith(f"{prefix}pooler")]
    if missing and not build.changes:
        raise UserError(
            f"{folder}/model.safetensors lacks {len(missing)} of the encoder's weights: {_some(missing)}.",
            "Take the weights that belong to this config.json, and add the model again.",
        )


@contextmanager
def quiet() -> Iterator[None]:
    """Without transformers' own bars and loading report: `Loaded` says the same, and the stage's log is one log."""
    from transformers.utils import logging as quiet

    logging: Any = quiet  # untyped in transformers

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else type(error).__name__


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
