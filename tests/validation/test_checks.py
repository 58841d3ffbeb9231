import pytest

from tunegate.errors import UserError
from tunegate.params import CheckSettings, ValidateSettings
from tunegate.tasks import TASKS, record_of
from tunegate.validation.checks import AFTER_THE_TASKS, BEFORE_THE_TASKS, DATA_CHECKS, Rules, data_checks, row_checks
from tunegate.validation.known import Known


def rules(known: tuple[str, ...] = (), **settings: object) -> Rules:
    return Rules(record_of("text_classification"), ValidateSettings.model_validate(settings), Known(known))


def action(code: str, of: Rules) -> str:
    return next((check.action for check in row_checks(of) if check.code == code), "off")


def test_every_check_has_a_code_of_its_own_and_says_what_to_do() -> None:
    of_tasks = {check for task in TASKS for check in record_of(task).CHECKS}  # some tasks share theirs
    checks = [*BEFORE_THE_TASKS, *of_tasks, *AFTER_THE_TASKS, *DATA_CHECKS]
    assert len({check.code for check in checks}) == len(checks)
    assert all(check.remedy.endswith(".") for check in checks)


def test_an_unknown_code_is_answered_with_the_nearest() -> None:
    with pytest.raises(UserError, match='Did you mean "DUP_NEAR"'):
        row_checks(rules(checks={"DUP_NAER": CheckSettings(action="off")}))


def test_a_check_that_is_off_is_not_made() -> None:
    assert action("DUP_NEAR", rules(checks={"DUP_NEAR": CheckSettings(action="off")})) == "off"
    assert action("DUP_NEAR", rules()) == "quarantine"


def test_personal_data_is_looked_for_on_request_only() -> None:
    assert action("PII", rules()) == "off"
    assert action("PII", rules(personal_data=True)) == "quarantine"
    assert action("PII", rules(checks={"PII": CheckSettings(action="warn")})) == "warn"


def test_a_wrong_label_is_taken_out_where_labels_are_known_and_warned_of_otherwise() -> None:
    assert action("LABEL_SET", rules()) == "warn"
    assert action("LABEL_SET", rules(known=("a",))) == "quarantine"
    assert action("LABEL_SET", rules(labels=["a"])) == "quarantine"


@pytest.mark.parametrize("change", [CheckSettings(tolerated=0.1), CheckSettings(action="quarantine")])
def test_a_check_on_the_data_set_has_no_rows_to_tolerate_or_take_out(change: CheckSettings) -> None:
    with pytest.raises(UserError, match="judges the data set"):
        data_checks(ValidateSettings(checks={"CLASS_MIN": change}))
