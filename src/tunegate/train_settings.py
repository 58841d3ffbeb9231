"""What a person can choose about training, with defaults, limits and the papers behind them.

Every option that a paper brought is off by default: what pays on one data set costs on another.
"""

from typing import Any, Literal

from pydantic import Field, model_validator

from tunegate.settings import Settings, Share


class TrainSettings(Settings):
    tune: Literal["full", "partial", "lora", "head"] = Field(
        default="full",
        description="what is trained: everything, all but frozen_layers, low-rank adapters and the head (Hu et al. "
        "2022), or only the head",
    )
    from_scratch: Literal["no", "own_shape", "tiny", "mini", "small", "medium", "base"] = Field(
        default="no",
        description="start from random weights, with the base model's tokenizer and family: in its own shape, or in a "
        "size of Turc et al. 2019 (2 layers of 128, 4 of 256, 4 of 512, 8 of 512, 12 of 768)",
    )
    base_head: Literal["kept", "new"] = Field(
        default="kept",
        description="where the base model has this task's head: kept (a classifier's rows by their labels' names, rows "
        "of other labels start random), or new, so that only the encoder is taken over",
    )
    frozen_layers: int = Field(
        default=0,
        ge=0,
        description="with tune: partial, the embeddings and this many lowest layers stay frozen",
    )
    epochs: int = Field(default=3, ge=1, le=1000, description="passes over the training rows")
    batch_size: int = Field(default=32, ge=1, le=4096, description="rows per optimiser step")
    learning_rate: float = Field(
        default=5e-5,
        gt=0,
        le=1,
        description="peak learning rate: 2e-5 to 5e-5 in Devlin et al. 2019 (if unset, tune: head has 8e-3, tune: lora "
        "5e-4 as in Hu et al. 2022)",
    )
    head_learning_rate: float | None = Field(
        default=None, gt=0, le=1, description="peak learning rate of the head (default: the encoder's)"
    )
    weight_decay: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="AdamW's decoupled weight decay, not of biases and norms (Devlin et al. 2019)",
    )
    warmup: Share = Field(default=0.1, ge=0, lt=1, description="share of steps with a rising learning rate")
    schedule: Literal["linear", "cosine"] = Field(
        default="linear",
        description="how the rate falls to 0 after the warm-up: linear (Devlin et al. 2019) or cosine (Loshchilov and "
        "Hutter 2017)",
    )
    layer_decay: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="each layer's rate is the rate of the layer above times this; 0.95 in Sun et al. 2019, 0.8 to 0.9 "
        "in Clark et al. 2020 (ELECTRA), 1: all layers learn alike",
    )
    reinitialised_layers: int = Field(
        default=0,
        ge=0,
        description="so many top layers, and the pooler, start random; 1 to 6 of 24 steady small data sets in Zhang et "
        "al. 2021",
    )
    unfreeze_epochs: int | None = Field(
        default=None,
        ge=1,
        description="gradual unfreezing: the head alone first, one more layer from the top after every so many epochs; "
        "1 in Howard and Ruder 2018 (ULMFiT)",
    )
    ema_decay: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="judge and keep a moving average of the weights with this decay (Polyak and Juditsky 1992): 0.99 "
        "for hundreds of steps, 0.999 for thousands",
    )
    seeds: int = Field(
        default=1,
        ge=1,
        le=100,
        description="so many trainings with seeds from `seed` up, their mean and spread reported (Dodge et al. 2020: "
        "seeds alone move small data sets by points)",
    )
    seeds_export: Literal["best", "average"] = Field(
        default="best",
        description="of several seeds: the best by validation loss, or the average of their weights from one and the "
        "same start (Wortsman et al. 2022, model soups)",
    )
    pooling: Literal["auto", "cls", "mean", "max", "attention"] = Field(
        default="auto",
        description="for tasks that read a text as a whole, what its head reads: the first token (Devlin et al. 2019), "
        "mean or max of all (Reimers and Gurevych 2019), a learnt weighting (Lin et al. 2017); auto: the family's own",
    )
    head_layers: int = Field(
        default=1, ge=0, le=8, description="hidden layers between pooling and scores; 1 in Devlin et al. 2019"
    )
    kept_layers: int | list[int] | None = Field(
        default=None,
        description="keep the first so many layers (Sajjad et al. 2023), or those listed, numbered from 1, the lowest "
        "(Sanh et al. 2019 start DistilBERT from every second)",
    )
    lora_rank: int = Field(
        default=8, ge=1, le=1024, description="with tune: lora, of each adapter; 8 in Hu et al. 2022"
    )
    lora_alpha: float = Field(
        default=16.0, gt=0, description="adapters count alpha / rank times; 8 and 16 for RoBERTa in Hu et al. 2022"
    )
    lora_dropout: Share = Field(default=0.0, ge=0, lt=1, description="dropout before adapters")
    lora_targets: list[str] | None = Field(
        default=None,
        min_length=1,
        description="which matrices are adapted, by the ends of their names (default: queries and values, Hu et "
        "al. 2022)",
    )
    max_gradient_norm: float = Field(default=1.0, gt=0, description="gradients are clipped to this norm")
    dropout: Share | None = Field(default=None, ge=0, lt=1, description="dropout (default: the base model's own)")
    class_weights: Literal["none", "balanced"] = Field(
        default="none", description="balanced: rare labels weigh more in the loss (King and Zeng 2001)"
    )
    label_weights: dict[str, float] = Field(
        default={}, description="label to its weight in the loss, 1 for those not named (instead of class_weights)"
    )
    label_smoothing: Share = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="share of a target that is spread over all labels; 0.1 in Szegedy et al. 2016",
    )
    focal_gamma: float = Field(
        default=0.0,
        ge=0,
        le=10,
        description="what is answered right surely counts less (focal loss); 2 in Lin et al. 2017",
    )
    r_drop: float = Field(
        default=0.0,
        ge=0,
        le=100,
        description="weight of the difference between two passes with other dropout, at twice the time; 1 to 5 for "
        "text classification in Wu et al. 2021 (there its half)",
    )
    adversarial: Literal["none", "fgm", "pgd", "freelb"] = Field(
        default="none",
        description="train on embeddings moved to where the loss is higher: one step (Miyato et al. 2017), several "
        "(Madry et al. 2018), or the mean over several (Zhu et al. 2020)",
    )
    adversarial_size: float = Field(
        default=1.0, gt=0, description="how far a row's embeddings are moved at most (Euclidean norm)"
    )
    adversarial_steps: int = Field(default=3, ge=1, le=20, description="steps of pgd and freelb; 3 in both papers")
    adversarial_step_size: float = Field(default=0.3, gt=0, description="the length of a step of pgd and freelb")
    micro_batch: int | None = Field(
        default=None,
        ge=1,
        description="rows that pass through the model at once, gradients added up over batch_size rows (default: all; "
        "halved by itself when memory runs out)",
    )
    patience: int | None = Field(
        default=None, ge=1, description="stop after this many epochs without a better validation loss"
    )
    precision: Literal["auto", "fp32", "bf16"] = Field(
        default="auto", description="auto: bf16 where the device computes it in hardware, else fp32"
    )
    device: Literal["auto", "cpu", "cuda"] = Field(default="auto", description="where to train")
    processes: int = Field(
        default=1,
        ge=1,
        le=64,
        description="processes of this machine that train together, each on a GPU of its own (or a share of the CPU's "
        "cores): batch_size rows are split between them",
    )
    threads: int | None = Field(
        default=None, ge=1, description="CPU threads of each process (default: all cores, shared out)"
    )
    checkpoint_steps: int = Field(default=50, ge=1, description="optimiser steps between checkpoints")
    seed: int = Field(default=0, ge=0, description="seed of head, dropout and order")
    model_changes: dict[str, int | float | str | bool] = Field(
        default={}, description="changes to the base model's config (num_hidden_layers: 4, ...)"
    )

    @model_validator(mode="before")
    @classmethod
    def _what_is_trained_alone_has_a_rate_of_its_own(cls, given: Any) -> Any:
        if not isinstance(given, dict) or given.get("tune") not in ("head", "lora"):
            return given
        if given["tune"] == "lora":
            return {"learning_rate": 5e-4, **given}  # Hu et al. 2022, table 9
        return {"learning_rate": given.get("head_learning_rate") or 8e-3, **given}  # measured: explanation/stages.md

    @model_validator(mode="after")
    def _frozen_layers_are_frozen(self) -> "TrainSettings":
        if self.frozen_layers and self.tune != "partial":
            raise ValueError("must not set frozen_layers without `tune: partial`, which alone freezes them")
        return self

    @model_validator(mode="after")
    def _random_weights_are_trained(self) -> "TrainSettings":
        if self.from_scratch != "no" and self.tune != "full":
            raise ValueError(
                "must not set from_scratch without `tune: full`: random weights must be trained, all of them"
            )
        return self

    @model_validator(mode="after")
    def _classes_are_weighed_in_one_way(self) -> "TrainSettings":
        if self.label_weights and self.class_weights != "none":
            raise ValueError("must not set both class_weights and label_weights")
        if not all(weight > 0 for weight in self.label_weights.values()):
            raise ValueError("must give every label in label_weights a weight above 0")
        return self

    @model_validator(mode="after")
    def _embeddings_are_there_to_be_moved(self) -> "TrainSettings":
        if self.tune == "head" and self.adversarial != "none":
            raise ValueError("must not set adversarial with `tune: head`, which reads each row's embeddings once")
        return self

    @model_validator(mode="after")
    def _head_layers_are_of_a_head_of_ours(self) -> "TrainSettings":
        if self.pooling == "auto" and self.head_layers != 1:
            raise ValueError("must not set head_layers without pooling: the family's own head has its own layers")
        return self

    @model_validator(mode="after")
    def _kept_layers_are_numbers_that_rise(self) -> "TrainSettings":
        kept = [self.kept_layers] if isinstance(self.kept_layers, int) else self.kept_layers
        if kept is not None and (not kept or min(kept) < 1 or sorted(set(kept)) != kept):
            raise ValueError("must give kept_layers as a number from 1, or as a rising list of numbers from 1")
        return self

    @model_validator(mode="after")
    def _adapters_are_there_to_be_shaped(self) -> "TrainSettings":
        if self.tune == "lora" and self.reinitialised_layers:
            raise ValueError("must not set reinitialised_layers with `tune: lora`, which trains no layer whole")
        if self.tune == "lora" and self.seeds > 1 and self.seeds_export == "average":
            raise ValueError("must not set seeds_export: average with `tune: lora`: factors of adapters have no mean")
        return self

    @model_validator(mode="after")
    def _layers_are_there_to_be_trained(self) -> "TrainSettings":
        given = {
            "layer_decay": self.layer_decay != 1,
            "reinitialised_layers": self.reinitialised_layers > 0,
            "unfreeze_epochs": self.unfreeze_epochs is not None,
        }
        if self.tune == "head" and any(given.values()):
            names = ", ".join(name for name, is_given in given.items() if is_given)
            raise ValueError(f"must not set {names} with `tune: head`, which trains no layer")
        return self
