"""Texts that break programs, and questions of any task that hold one of them in one of their fields."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

LONG = 100_000

TEXTS: Mapping[str, str] = {
    "a NUL": "a\x00b",
    "NUL alone": "\x00",
    "control characters": "".join(map(chr, range(1, 32))) + "\x7f\x80\x9f",
    "zero width": "a\u200bb\u200cc\u200dd\u2060e\ufeff",
    "zero width alone": "\u200b\u200d\ufeff",
    "right to left": "\u202eabc\u202c \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627 \u2066x\u2069",
    "an emoji sequence": "\U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea \U0001f44d\U0001f3ff ok",
    "emoji alone": "\U0001f600\U0001f600",
    "special tokens": "[SEP] [CLS] [MASK] [PAD] [UNK] <s> </s> <mask> <unk> <|endoftext|>",
    "a special token alone": "[PAD]",
    "SQL": "' OR 1=1; DROP TABLE users; --",
    "HTML": "<script>alert(1)</script><img src=x onerror=alert(1)>&amp;",
    "a template": "{{7*7}} ${7*7} %s %n {0} {text}",
    "a path": "../../../../etc/passwd C:\\CON \\\\?\\x",
    "JSON": '{"records": [{"text": null}]}',
    "only blanks": "  \n\t \u3000 \u2028 \xa0 ",
    "a blank": " ",
    "nothing": "",
    "combining marks": "Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319\u0324" + "a" + "\u0301" * 500,
    "marks alone": "\u0301\u0302",
    "unassigned code points": "\u0378 \U000e0fff \U0010ffff \ufdd0 \ufffe",
    "private use": "\ue000\U00100000",
    "replacement characters": "\ufffd\ufffd",
    "ligatures": "\ufdfa\ufdfa \ufb03 \u2167 \uff21\uff22",
    "mathematical letters": "\U0001d555\U0001d556\U0001d55f",
    "sharp s and dotless i": "\u1e9e\u00df \u0130\u0131 \u01c4",
    "Chinese": "\u4f60\u597d\uff0c\u4e16\u754c\u3002\U00020000\U0002a6d6",
    "Thai and Tibetan": "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35 \u0f56\u0f7c\u0f51",
    "tags": "\U000e0041\U000e0042\U000e007f",
    "variation selectors": "a\ufe0f\ufe0e\U000e0100",
    "line ends": "a\r\nb\rc\x0bd\x0ce\x85f\u2028g\u2029h",
    "one letter": "a",
    "a number": "NaN -0 1e999 0x10 \u0661\u0662",
    "marks": "?!...,;:--__''\"\"``~~",
    "blanks to fill": "_ __ [MASK] _ a_b",
    "many blanks": "_ " * 60,
    "a long word": "x" * 5_000,
    "long": "word " * (LONG // 5),
    "long without blanks": "\u6c34" * LONG,
}


def questions(part: Any, example: Mapping[str, Any], filled: Mapping[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and question: each text in each field alone, after what stands there, in one member of a list and in all of
    them, and everywhere. A field that the example lacks is another way to ask (a text for its words)."""
    fields = text_fields(part.Record, filled)
    base = {name: value for name, value in example.items() if name in part.Record.model_fields}
    for kind, text in TEXTS.items():
        for name in fields:
            value = base.get(name)
            if isinstance(value, list):
                yield f"{kind} in one of {name}", {**base, name: [text, *value[1:]]}
                yield f"{kind} in all of {name}", {**base, name: [text] * len(value)}
            elif name in base:
                yield f"{kind} as {name}", {**base, name: text}
                yield f"{kind} beside {name}", {**base, name: f"{value} {text}"}
            else:
                yield f"{kind} as {name}", {name: text}
        yield f"{kind} everywhere", {name: _all(value, text) for name, value in base.items()}


def text_fields(record: type[BaseModel], filled: Mapping[str, str]) -> list[str]:
    """Those that hold a text or texts, and that the model was trained with or that are no column of its rows."""
    schema = record.model_json_schema()["properties"]
    return [name for name, field in schema.items() if _holds_text(field) and filled.get(name) != "never"]


def _holds_text(field: Mapping[str, Any]) -> bool:
    kinds = [field, *field.get("anyOf", ())]
    return any(
        kind.get("type") == "string" or (kind.get("type") == "array" and kind["items"].get("type") == "string")
        for kind in kinds
    )


def _all(value: Any, text: str) -> Any:
    return text if isinstance(value, str) else [_all(one, text) for one in value] if isinstance(value, list) else value
