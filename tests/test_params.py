"""The typed settings themselves."""

from typing import Any

import pytest

from tunegate.params import PipelineSettings, Settings, TrainSettings


def test_a_setting_cannot_be_changed_later() -> None:
    with pytest.raises(ValueError):
        TrainSettings().epochs = 9  # type: ignore[misc]


def test_every_section_is_frozen_strict_and_closed() -> None:
    sections = [kind for field in PipelineSettings.model_fields.values() if isinstance(kind := field.annotation, type)]
    for kind in (PipelineSettings, *(kind for kind in sections if issubclass(kind, Settings))):
        assert kind.model_config["frozen"]
        assert kind.model_config["extra"] == "forbid"
        assert kind.model_config["strict"]


@pytest.mark.parametrize(
    ("given", "rate"),
    [
        ({}, 5e-5),
        ({"tune": "partial"}, 5e-5),
        ({"tune": "head"}, 8e-3),
        ({"tune": "head", "learning_rate": 1e-4}, 1e-4),
        ({"tune": "head", "head_learning_rate": 2e-3}, 2e-3),
    ],
)
def test_a_head_alone_learns_at_a_rate_of_its_own_unless_one_is_set(given: dict[str, Any], rate: float) -> None:
    settings = TrainSettings.model_validate(given)
    assert settings.learning_rate == rate
    assert TrainSettings.model_validate(settings.model_dump(mode="json")) == settings


@pytest.mark.parametrize(
    "given", [{"label_weights": {"a": 0.0}}, {"label_weights": {"a": 2.0}, "class_weights": "balanced"}]
)
def test_weights_of_labels_are_positive_and_given_in_one_way(given: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="label_weights"):
        TrainSettings.model_validate(given)
