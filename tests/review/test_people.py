"""Who may decide: tokens that are kept as hashes, and sessions that belong to one person."""

from pathlib import Path

import pytest

from tunegate.errors import UserError
from tunegate.review.people import People
from tunegate.review.security import DeniedError, Sessions, check_host, check_listening, check_origin, new_session
from tunegate.workspace import Workspace

ADA = "Ada <ada@example.org>"


@pytest.fixture
def people(tmp_path: Path) -> People:
    return People.of(Workspace(tmp_path, tmp_path / "state"))


def test_a_token_names_its_person_and_stands_nowhere(people: People) -> None:
    token = people.add(ADA)
    people.add("Ben")
    assert people.named_by(token) == ADA
    assert people.named_by(token[:-1]) is None
    assert token not in people.path.read_text(encoding="utf-8")
    assert people.path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "<script>", "x" * 81, "Ada <no address>"])
def test_what_is_no_name_is_refused(people: People, name: str) -> None:
    with pytest.raises(UserError):
        people.add(name)


def test_two_people_cannot_have_one_name(people: People) -> None:
    people.add(ADA)
    with pytest.raises(UserError, match="already"):
        people.add(ADA.upper())


def test_a_damaged_file_lets_nobody_in(people: People) -> None:
    token = people.add(ADA)
    people.path.write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match="damaged"):
        people.named_by(token)


def test_whoever_loses_the_token_loses_the_session(people: People) -> None:
    sessions = Sessions(people, "127.0.0.1")
    entered = sessions.enter(people.add(ADA))
    assert entered is not None
    assert sessions.person(entered[0]) == ADA
    people.remove(ADA)
    assert sessions.person(entered[0]) is None


def test_a_forms_token_fits_its_own_session_alone(people: People) -> None:
    sessions = Sessions(people, "127.0.0.1")
    mine, other = new_session(), new_session()
    sessions.check_csrf(mine, sessions.csrf(mine))
    for session, given in ((other, sessions.csrf(mine)), (mine, ""), ("", sessions.csrf("")), (mine, "é")):
        with pytest.raises(DeniedError):
            sessions.check_csrf(session, given)


def test_beyond_loopback_somebody_must_have_a_token(people: People) -> None:
    check_listening("127.0.0.1", people)
    with pytest.raises(UserError, match="token"):
        check_listening("0.0.0.0", people)
    with pytest.raises(UserError, match="IP address"):
        check_listening("everywhere", people)
    people.add(ADA)
    check_listening("0.0.0.0", people)
    assert Sessions(people, "127.0.0.1").needs_login


@pytest.mark.parametrize("named", ["127.0.0.1:8765", "localhost:1", "[::1]:80", "127.5.5.5"])
def test_names_of_loopback_are_this_machine(named: str) -> None:
    check_host("127.0.0.1", named)


@pytest.mark.parametrize("named", ["", "evil.example", "127.0.0.1.evil.example", "[", "localhost.evil.example:80"])
def test_other_names_are_not(named: str) -> None:
    with pytest.raises(DeniedError):
        check_host("127.0.0.1", named)


def test_a_form_comes_from_the_site_itself() -> None:
    check_origin("http://127.0.0.1:8765", "127.0.0.1:8765")
    for origin in (None, "null", "http://127.0.0.1:8766", "http://evil.example", ""):
        with pytest.raises(DeniedError):
            check_origin(origin, "127.0.0.1:8765")


def test_behind_a_proxy_its_name_is_right_and_no_other() -> None:
    check_host("127.0.0.1", "review.example.org", "review.example.org")
    check_host("127.0.0.1", "localhost:8765", "review.example.org")
    for named in ("", "evil.example", "review.example.org.evil.example"):
        with pytest.raises(DeniedError):
            check_host("127.0.0.1", named, "review.example.org")


def test_behind_a_proxy_nobody_is_the_git_user(people: People) -> None:
    assert Sessions(people, "127.0.0.1", "review.example.org").needs_login
    with pytest.raises(UserError, match="nobody has a token"):
        check_listening("127.0.0.1", people, "review.example.org")
    people.add(ADA)
    check_listening("127.0.0.1", people, "review.example.org")
    with pytest.raises(UserError, match="no host's name"):
        check_listening("127.0.0.1", people, "https://review.example.org/")
