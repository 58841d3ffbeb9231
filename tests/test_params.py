"""The typed settings themselves."""

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
