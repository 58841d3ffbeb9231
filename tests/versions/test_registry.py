"""What is live where, read from tags; numbers that say what changed; damage that is noticed."""

from pathlib import Path

import pytest

from tests.projects import git
from tests.versions.history import ANNA, BEN, clone_of, commit, event, make_repository
from tunegate.errors import UserError
from tunegate.versions.registry import assign, next_number, part_since, read_registry, register
from tunegate.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return make_repository(tmp_path / "r")


def three(workspace: Workspace) -> list[str]:
    made = []
    for number in range(3):
        commit(workspace.root, f"run {number}")
        made.append(register(workspace, event(workspace, trained=f"t{number}", improved_on_best=number == 1)))
    for version in made:
        assign(workspace, version, "production", who=ANNA, why="good")
    return [version.name for version in made]


@pytest.mark.parametrize(
    ("changed", "number"),
    [
        ({"task": "token_classification"}, "v2.0.0"),
        ({"labels": ["a", "b", "c"]}, "v2.0.0"),
        ({"labels": ["a"], "trained": "t2"}, "v2.0.0"),
        ({"trained": "t2"}, "v1.1.0"),
        ({"labels": ["b", "a"]}, "v1.0.1"),
        ({"verdict_hash": "other"}, "v1.0.1"),
    ],
)
def test_the_number_says_what_changed(workspace: Workspace, changed: dict[str, object], number: str) -> None:
    assert register(workspace, event(workspace)).short == "v1.0.0"
    assert register(workspace, event(workspace, **changed)).short == number


def test_a_moved_part_sets_the_smaller_ones_to_zero() -> None:
    assert [next_number((1, 9, 4), part) for part in ("major", "minor", "patch")] == [(2, 0, 0), (1, 10, 0), (1, 9, 5)]


def test_nothing_is_known_of_a_version_that_another_tool_made(workspace: Workspace) -> None:
    assert part_since(None, event(workspace)) == "minor"


def test_versions_stand_in_the_order_of_their_numbers_not_of_their_names(workspace: Workspace) -> None:
    for number in range(11):
        register(workspace, event(workspace, trained=f"t{number}"))
    assert [version.short for version in read_registry(workspace).of("support")][-2:] == ["v1.9.0", "v1.10.0"]


def test_current_is_the_highest_number(workspace: Workspace) -> None:
    names = three(workspace)
    registry = read_registry(workspace)
    assert [each.number for each in registry.history("support", "production")] == [1, 2, 3]
    champion = registry.champion("support")
    assert champion is not None and champion.name == names[2] and registry.live(champion) == ["production"]
    assert registry.current("support", "staging") is None and registry.champion("other") is None


def test_best_is_the_last_that_surely_improved_on_the_best_of_its_time(workspace: Workspace) -> None:
    names = three(workspace)
    best = read_registry(workspace).best("support")
    assert best is not None and best.name == names[1]


def test_rollbacks_go_back_one_further_each_time(workspace: Workspace) -> None:
    three(workspace)
    for expected in ("v1.1.0", "v1.0.0"):
        registry = read_registry(workspace)
        target = registry.before("support", "production")
        assert target is not None and target.short == expected
        assign(workspace, target, "production", who=BEN, why="it is worse", what="rollback")
    registry = read_registry(workspace)
    assert registry.before("support", "production") is None
    assign(workspace, registry.find("support@v1.2.0"), "production", who=ANNA, why="mended")
    again = read_registry(workspace).before("support", "production")
    assert again is not None and again.short == "v1.0.0"


def test_unknown_names_are_answered_with_the_nearest(workspace: Workspace) -> None:
    version = register(workspace, event(workspace))
    with pytest.raises(UserError, match=r'Did you mean "support@v1\.0\.0"'):
        read_registry(workspace).find("support@v1.0.1")
    with pytest.raises(UserError, match='Did you mean "production"'):
        assign(workspace, version, "prodution", who=ANNA, why="x")


def test_an_untouched_history_shows_no_damage(workspace: Workspace) -> None:
    three(workspace)
    assert read_registry(workspace).damage == ()


def test_a_deleted_tag_is_missed_by_the_next_one(workspace: Workspace) -> None:
    names = three(workspace)
    git(workspace.root, "tag", "-d", names[1])
    (damage,) = read_registry(workspace).damage
    assert names[2] in damage and "gone or was edited" in damage


def test_a_moved_tag_is_noticed(workspace: Workspace) -> None:
    names = three(workspace)
    body = git(workspace.root, "tag", "-l", "--format=%(contents)", names[2])
    git(workspace.root, "tag", "-f", "-a", "-m", body, names[2], "HEAD~2")
    damage = read_registry(workspace).damage
    assert any(names[2] in said and "stands on" in said for said in damage)


def test_two_clones_that_register_at_once_get_two_numbers_and_one_history(tmp_path: Path) -> None:
    origin = make_repository(tmp_path / "first").root
    bare = tmp_path / "shared.git"
    git(tmp_path, "clone", "-q", "--bare", str(origin), str(bare))
    anna, ben = (clone_of(bare, tmp_path / who, who) for who in ("anna", "ben"))
    assert register(anna, event(anna)).short == "v1.0.0"
    assert register(ben, event(ben, trained="t2", who=BEN)).short == "v1.1.0"  # it had not heard of the first
    assert read_registry(ben).damage == ()
    assert [version.short for version in read_registry(ben).of("support")] == ["v1.0.0", "v1.1.0"]
