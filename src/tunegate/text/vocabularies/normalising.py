"""What is done to a text before it is cut, as the settings say."""

from typing import Any

from tunegate.vocabulary_settings import VocabularySettings


def normalizer_of(settings: VocabularySettings, *, part_chinese: bool) -> Any:
    """Control characters go and white space becomes blanks in any case. `part_chinese`: blanks around Chinese."""
    from tokenizers import normalizers

    bert = normalizers.BertNormalizer(
        clean_text=True,
        handle_chinese_chars=part_chinese,
        strip_accents=settings.strips_accents,
        lowercase=settings.lower,
    )
    return normalizers.Sequence([normalizers.NFKC(), bert]) if settings.nfkc else bert
