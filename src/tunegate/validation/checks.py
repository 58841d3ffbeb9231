"""The tables of checks: on single rows, and on the data set as a whole. Their order is the order of messages, and of
two checks that take out the same row the first gives the reason.
"""

from dataclasses import dataclass, replace
from typing import Literal

from tunegate.errors import UserError, did_you_mean
from tunegate.params import CheckSettings, ValidateSettings
from tunegate.records import label_column, label_sets_column, number_column
from tunegate.task import Check, RecordPart
from tunegate.validation.expectations import Suite
from tunegate.validation.known import Known

_MEND = "Correct the rows at the source, or leave them out."

BEFORE_THE_TASKS = (
    Check("TEXT_EMPTY", "text_empty", "the text is empty or invisible", "Fill the text in, or leave the rows out."),
    Check("LABEL_NULL", "label_null", "the label is missing", "Label the rows, or leave them out."),
    Check(
        "ENC_REPLACEMENT",
        "enc_replacement",
        "the text holds U+FFFD, where a character was lost",
        "Export the rows again from where they came from; the lost characters cannot be restored.",
    ),
    Check(
        "ENC_MOJIBAKE",
        "enc_mojibake",
        "the text is UTF-8 that was read in another encoding",
        "Read the source as UTF-8 where it was exported, and export it again.",
    ),
    Check("CTRL_CHARS", "ctrl_chars", "the text holds control characters", _MEND),
    Check(
        "TEXT_LONG",
        "text_long",
        "the text is longer than validate.max_characters",
        "Look for rows run together (a quote that never closes), or raise validate.max_characters.",
    ),
    Check(
        "TEXT_SHORT",
        "text_short",
        "the text is shorter than validate.min_characters",
        "Leave the rows out, or lower validate.min_characters.",
    ),
    Check(
        "LABEL_SET",
        "label_set",
        "the label is not among the known ones",
        "Correct the spelling, or add the label to validate.labels.",
    ),
    Check(
        "PII",
        "pii",
        "the text seems to hold an e-mail address or a phone number",
        "Mask it at the source, or set validate.checks.PII.action.",
    ),
    Check("ID_UNIQUE", "id_unique", "the id is another row's too", "Give every row an id of its own."),
)

AFTER_THE_TASKS = (
    Check(
        "LABEL_CONFLICT",
        "label_conflict",
        "the same text has another label elsewhere",
        "Decide which label is right and correct the others.",
    ),
    Check(
        "LEAK_EXACT",
        "leak_exact",
        "the same text is an evaluation row",
        "Nothing has to be done: the evaluation row stays and the other one goes.",
    ),
    Check(
        "LEAK_NEAR",
        "leak_near",
        "the same text but for case, punctuation and spaces is an evaluation row",
        "Nothing has to be done: the evaluation row stays and the other one goes.",
    ),
    Check(
        "DUP_EXACT",
        "dup_exact",
        "the same text stands earlier in the same split",
        "Nothing has to be done: the first of them stays.",
    ),
    Check(
        "DUP_NEAR",
        "dup_near",
        "the same text but for case, punctuation and spaces stands earlier in the same split",
        "Nothing has to be done: the first of them stays.",
    ),
    Check(
        "LENGTH_ODD",
        "length_odd",
        "the text is far shorter or longer than the others",
        "Look whether it was cut off or run together; validate.min_characters and max_characters take such rows out.",
        action="warn",
    ),
    Check(
        "SPECIAL_LITERAL",
        "special_literal",
        "the text holds what looks like a model's special token",
        "It stays text in training and in serving; look whether a program put it there.",
        action="warn",
    ),
    Check(
        "SCRIPT",
        "script_unusual",
        "the text is in a script that hardly any other row is in",
        "Look whether these rows belong here; with so few of them the model will not learn the language.",
        action="warn",
    ),
    Check(
        "RELABELLED",
        "relabelled",
        "the text had another label in the data version before",
        "Make sure that the labels were changed on purpose.",
        action="warn",
    ),
)

ABOUT_LABELS = {"LABEL_NULL", "LABEL_SET"}  # of tasks that give a record one label
ABOUT_SETS = {"LABEL_SET"}  # of those that give it any number
RELATIONS = frozenset({"LABEL_CONFLICT", "LEAK_EXACT", "LEAK_NEAR", "DUP_EXACT", "DUP_NEAR"})
"""Checks on what rows are to each other: made among the rows that no other check takes out."""


@dataclass(frozen=True)
class DataCheck:
    """A rule on the data set. What it measures, its limits and what it says of them stand in `dataset`."""

    code: str
    remedy: str
    action: Literal["fail", "warn", "off"] = "warn"


DATA_CHECKS = (
    DataCheck("ROWS_MIN", "Add rows, or lower validate.min_rows.", "fail"),
    DataCheck("REJECT_SHARE", "Mend the lines that could not be read, or raise validate.budget.", "fail"),
    DataCheck("QUARANTINE_SHARE", "Mend the rows of the worst rules, or raise validate.budget.", "fail"),
    DataCheck("SPLIT_EMPTY", "Add rows, or change the shares under split or the files under ingest.files.", "fail"),
    DataCheck("SPLIT_RATIO", "Lower split.test, or give more of the files to training under ingest.files."),
    DataCheck("CLASS_ONE", "Add rows of another label.", "fail"),
    DataCheck(
        "CLASS_MIN", "Label more rows of it, join it with another label, or lower validate.min_rows_per_label.", "fail"
    ),
    DataCheck("CLASS_UNTESTED", "Label more rows: what has no test rows is not judged."),
    DataCheck("CLASS_RATIO", "Label more of the rare ones, or set train.class_weights: balanced."),
    DataCheck("NEW_LABEL", "If that is meant, the next version's major number moves; else correct the labels."),
    DataCheck("LOST_LABEL", "If that is meant, nothing has to be done: the model keeps the label; else look for rows."),
    DataCheck("EVAL_CHANGED", "Scores on different test rows are not compared: the champion is scored again."),
    DataCheck("LABEL_DRIFT", "Look whether the new rows were collected or labelled in another way."),
    DataCheck("LENGTH_DRIFT", "Look whether the new rows were collected or cut in another way."),
    DataCheck("VOCAB_DRIFT", "Look whether the new rows are about something else, or in another language."),
)


@dataclass(frozen=True)
class Rules:
    """What a data set is judged by: what a record is, the settings, what is known, and the user's own suite."""

    part: RecordPart
    settings: ValidateSettings
    known: Known = Known()
    suite: Suite | None = None

    @property
    def labels_known(self) -> bool:
        return self.settings.labels is not None or bool(self.known.labels)


def row_checks(rules: Rules) -> tuple[Check, ...]:
    """The checks on rows that are on, changed as the settings say. Raises UserError for an unknown code."""
    settings = rules.settings
    table = [
        *(_adapted(check, rules) for check in BEFORE_THE_TASKS),
        *rules.part.CHECKS,
        *AFTER_THE_TASKS,
    ]
    codes = [check.code for check in table] + [check.code for check in DATA_CHECKS]
    for code in settings.checks:
        if code not in codes:
            raise UserError(
                f'validate.checks: there is no check "{code}".{did_you_mean(code, codes)}',
                f"The checks are {', '.join(codes)}.",
            )
    about = _about_labels(rules.part)
    fitting = (check for check in table if check.code in about or check.code not in ABOUT_LABELS)
    changed = (_changed(check, settings.checks.get(check.code)) for check in fitting)
    return tuple(check for check in changed if check.action != "off")


def _about_labels(part: RecordPart) -> set[str]:
    if label_sets_column(part.PAYLOAD):
        return ABOUT_SETS
    return ABOUT_LABELS if label_column(part.PAYLOAD) else set()


def data_checks(settings: ValidateSettings) -> tuple[DataCheck, ...]:
    """The checks on the data set that are on. Raises UserError for a change that makes no sense on a data set."""
    changed = []
    for check in DATA_CHECKS:
        change = settings.checks.get(check.code, CheckSettings())
        if change.tolerated is not None or change.action == "quarantine":
            raise UserError(
                f"validate.checks.{check.code} judges the data set: it has no rows to tolerate or to quarantine.",
                "Set its action to fail, warn or off.",
            )
        changed.append(replace(check, action=change.action or check.action))
    return tuple(check for check in changed if check.action != "off")


def has_own_limit(check: Check, settings: ValidateSettings) -> bool:
    """Whether the rows it takes out are judged by a share of their own and not by the budget."""
    change = settings.checks.get(check.code)
    return check.action == "quarantine" and change is not None and change.tolerated is not None


def _adapted(check: Check, rules: Rules) -> Check:
    if check.code == "LABEL_CONFLICT" and number_column(rules.part.PAYLOAD):
        return replace(
            check,
            what="the same text has another number elsewhere",
            remedy="Give such rows one number, their mean for example; of equal texts only the first row stays.",
            action="warn",
        )
    if check.code == "PII" and not rules.settings.personal_data and "PII" not in rules.settings.checks:
        return replace(check, action="off")
    if check.code == "LABEL_SET" and not rules.labels_known:
        return replace(
            check,
            what="the label is rare and nearly another one",
            remedy="Correct the spelling if it is a slip; with validate.labels such rows are taken out.",
            action="warn",
        )
    return check


def _changed(check: Check, change: CheckSettings | None) -> Check:
    if change is None:
        return check
    tolerated = check.tolerated if change.tolerated is None else change.tolerated
    return replace(check, tolerated=tolerated, action=change.action or check.action)
