"""The table of base models."""

import pytest
from pydantic import ValidationError

from tunegate.catalogue.base_models import PublicModel, find_model, public_models
from tunegate.errors import UserError
from tunegate.models.archives import is_archive


def test_the_table_has_googles_own_and_the_usual_chinese_and_english_models() -> None:
    models = public_models()
    google = [model.url for model in models.values() if model.url]
    for version in ("v1", "v2", "zh"):
        for size in ("base", "large", "xlarge", "xxlarge"):
            assert f"https://storage.googleapis.com/albert_models/albert_{size}_{version}.tar.gz" in google
    assert {"chinese_L-12_H-768_A-12.zip", "multi_cased_L-12_H-768_A-12.zip", "uncased_L-24_H-1024_A-16.zip"} <= {
        url.rpartition("/")[2] for url in google
    }
    hubs = {model.hub for model in models.values()}
    assert {"hfl/chinese-roberta-wwm-ext", "google-bert/bert-base-chinese", "voidful/albert_chinese_tiny"} <= hubs
    assert {"FacebookAI/roberta-base", "distilbert/distilbert-base-uncased", "albert/albert-base-v2"} <= hubs
    assert len({model.url or model.hub for model in models.values()}) == len(models)


def test_every_entry_says_what_it_is_and_may_be_used_for() -> None:
    for model in public_models().values():
        assert model.title and model.licence and "20" in model.citation
        assert model.url is None or is_archive_name(model.url)
        assert all(len(digest) == 64 for digest in model.sha256.values())


def is_archive_name(url: str) -> bool:
    from pathlib import Path

    return is_archive(Path(url))


@pytest.mark.parametrize(
    "places", [{}, {"url": "https://host/a.zip", "hub": "owner/name"}, {"url": "http://host/a.zip"}]
)
def test_an_entry_has_one_place_and_an_encrypted_address(places: dict[str, str]) -> None:
    about = {"name": "a", "title": "t", "language": "en", "licence": "l", "citation": "c"}
    with pytest.raises(ValidationError):
        PublicModel.model_validate({**about, **places})


def test_an_unknown_model_is_answered_with_the_nearest() -> None:
    with pytest.raises(UserError, match='Did you mean "chinese-macbert-base"'):
        find_model("chinese-macbert")
