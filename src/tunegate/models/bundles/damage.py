"""What readers raise inside; `Bundle` turns it into one sentence that names the file."""


class DamageError(Exception):
    """The bytes are not what the format says; the message is the end of a sentence: `... is damaged: <message>`."""
