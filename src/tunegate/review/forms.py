"""What a form sent: bounded in bytes and fields, every value text."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from tunegate.errors import UserError

MOST_BYTES = 4_000_000  # a page of repaired rows; more is an upload, which this page does not take
MOST_FIELDS = 2_000
WHY_LENGTH = 2_000


class TooLargeError(UserError):
    """Status 413."""


class UnreadableError(UserError):
    """Status 415 or 422: no form at all."""


def read_form(content_type: str, body: bytes) -> Mapping[str, str]:
    """Field to value; of a repeated field the last. Raises UserError."""
    if content_type.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise UnreadableError("The request holds no form.", "Send it from the page itself.")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError as error:
        raise UnreadableError("The form cannot be read.", "Send it from the page itself.") from error
    return {name: value.replace("\r\n", "\n") for name, value in pairs}


def reason(form: Mapping[str, str]) -> str:
    """The reason that every decision needs. Raises UserError."""
    why = form.get("why", "").strip()
    if not why:
        raise UserError(
            "A decision needs a reason: others will read it.", "Write a sentence on why, and send it again."
        )
    if len(why) > WHY_LENGTH:
        raise UserError(f"The reason has {len(why):,} characters.", f"Keep it under {WHY_LENGTH:,}.")
    return " ".join(why.split())
