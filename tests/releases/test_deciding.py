"""An approval packages the run's own commit; a verdict is decided once; nothing of the person's tree moves."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.projects import git
from tests.releases.project import as_stored, change, make_project, run, versions
from tests.versions.history import ANNA, BEN, clone_of, introduce
from tunegate.errors import UserError
from tunegate.releases.assigning import promote, rollback
from tunegate.releases.deciding import approve, force, reject
from tunegate.releases.registering import register_run
from tunegate.versions.decisions import DecidedError, StaleDecisionError, read_decisions
from tunegate.versions.git import file_at
from tunegate.versions.lineage import lineage_at
from tunegate.versions.references import current_references, standing_approval
from tunegate.versions.registry import read_registry
from tunegate.versions.remotes import choose_remote, push_all
from tunegate.versions.runs import find_run, read_runs
from tunegate.workspace import Workspace

LINES: list[str] = []
RACE = """
import sys
from pathlib import Path
from tunegate.errors import TunegateError
from tunegate.versions.decisions import decide
from tunegate.versions.runs import find_run
from tunegate.workspace import Workspace
workspace, who = Workspace(Path(sys.argv[1])), sys.argv[2]
run = find_run(workspace, "demo-20260101-000000")
sys.stdin.readline()
try:
    decide(workspace, run, run.ended.verdict_hash, sys.argv[3], who=who, why="I looked")
    print("won")
except TunegateError as error:
    print(int(error.status), error.problem)
"""


def looks(workspace: Workspace) -> list[str]:
    """Everything of the person's that an action might disturb."""
    root = workspace.root
    return [
        git(root, "status", "--porcelain", "--untracked-files=all"),
        git(root, "for-each-ref", "refs/heads"),
        git(root, "diff"),
        (root / ".git/index").read_bytes().hex(),
        "".join(sorted(str(path) for path in (root / "data").rglob("*"))),
    ]


def test_an_approval_packages_the_runs_own_commit_and_registers_it(tmp_path: Path) -> None:
    workspace = make_project(tmp_path / "p")
    found = run(workspace)
    as_stored(workspace)
    (workspace.root / "package.py").write_text("broken, but later than the run")
    (workspace.root / "stray.txt").write_text("mine")
    before = looks(workspace)
    said: list[str] = []
    released = approve(workspace, found, who=BEN, why="the lost rows were mislabelled", say=said.append)
    assert looks(workspace) == before and "packaging True" in said
    assert versions(workspace) == ["demo@v1.0.0"] and released.registered.version.name == "demo@v1.0.0"
    commit = read_registry(workspace).find("demo@v1.0.0").tag.commit
    assert commit == released.run.commit and released.run.parent == found.commit
    inputs = json.loads(file_at(workspace.root, commit, "data/demo/inputs.json") or b"")
    assert inputs["approval"] == {
        "who": BEN, "why": "the lost rows were mislabelled", "hash": found.ended.verdict_hash, "what": "approve",
    }  # fmt: skip
    assert json.loads(file_at(workspace.root, commit, "reports/demo/package.json") or b"")["packaged"] is True
    assert lineage_at(workspace, commit, "demo")["package"].settings["approval"]["who"] == BEN
    assert (
        not list((workspace.state / "worktrees").glob("*/"))
        and len(git(workspace.root, "worktree", "list").splitlines()) == 1
    )
    assert [each.name for each in read_runs(workspace)][:1] == [f"{found.name}-approved"]
    assert standing_approval(workspace, "demo") == inputs["approval"]


def test_a_verdict_is_decided_once(tmp_path: Path) -> None:
    workspace = make_project(tmp_path / "p")
    found = run(workspace)
    reject(workspace, found, who=ANNA, why="it loses refunds")
    with pytest.raises(
        DecidedError, match=r"Anna <anna@example.org> rejected demo-20260101-000000 at .*: it loses refunds"
    ):
        approve(workspace, found, who=BEN, why="fine", say=LINES.append)
    assert versions(workspace) == [] and [each.what for each in read_decisions(workspace)] == ["reject"]


def test_an_approval_that_was_cut_short_goes_on(tmp_path: Path) -> None:
    workspace = make_project(tmp_path / "p")
    found = run(workspace)
    with pytest.raises(Exception, match="store"):  # the store cannot take a Bento that a shell command made
        approve(workspace, found, who=ANNA, why="fine", say=LINES.append)
    assert versions(workspace) == []
    as_stored(workspace)
    assert approve(workspace, found, who=BEN, why="go on", say=LINES.append).decision.who == ANNA
    with pytest.raises(DecidedError):
        approve(workspace, found, who=BEN, why="again", say=LINES.append)


def test_a_decision_is_about_one_verdict_with_a_reason_and_of_its_kind(tmp_path: Path) -> None:
    workspace = make_project(tmp_path / "p")
    found = run(workspace)
    for wrong, said in (
        ({"why": " "}, "needs a reason"),
        ({"verdict_hash": "f" * 64}, "not ffffffffffff"),
    ):
        with pytest.raises(UserError, match=said):
            approve(workspace, found, say=LINES.append, **{"who": ANNA, "why": "fine", **wrong})
    with pytest.raises(UserError, match=r"The verdict of .* is UNDECIDED"):
        force(workspace, found, who=ANNA, why="fine", say=LINES.append)
    assert read_decisions(workspace) == []


def test_a_refused_model_goes_out_by_force_alone_and_shows_it_for_ever(tmp_path: Path) -> None:
    workspace = make_project(tmp_path / "p", verdict="FAIL", promote="production")
    found = run(workspace)
    as_stored(workspace)
    with pytest.raises(UserError, match=r"only by force|is FAIL"):
        approve(workspace, found, who=ANNA, why="fine", say=LINES.append)
    released = force(workspace, found, who=ANNA, why="the shop is down", say=LINES.append)
    version = read_registry(workspace).find("demo@v1.0.0")
    assert version.forced and released.registered.live is None and read_registry(workspace).champion("demo") is None
    assert released.run.ended.status == "forced"


def test_nobody_approves_their_own_run_where_that_is_forbidden(tmp_path: Path) -> None:
    workspace = make_project(tmp_path / "p", approve_own=False)
    found = run(workspace)
    as_stored(workspace)
    with pytest.raises(UserError, match="your own run"):
        approve(workspace, found, who="anna under another name <ANNA@example.org>", why="fine", say=LINES.append)
    assert approve(workspace, found, who=BEN, why="fine", say=LINES.append).decision.who == BEN


def test_a_decision_is_stale_once_another_version_is_live(tmp_path: Path) -> None:
    workspace = make_project(tmp_path / "p", verdict="PASS")
    first = run(workspace)
    assert register_run(workspace, first, workspace).version.name == "demo@v1.0.0"
    change(workspace, rows="two\n", name="2")
    undecided = run(workspace, "demo-20260102-000000")
    promote(workspace, "demo@v1.0.0", "production", who=ANNA, why="first")
    with pytest.raises(StaleDecisionError, match=r"no champion, and demo@v1\.0\.0 is live") as raised:
        approve(workspace, undecided, who=BEN, why="fine", say=LINES.append)
    assert "--force evaluate" in raised.value.remedy
    reject(workspace, undecided, who=BEN, why="no more needed")  # which changes nothing that is live


def test_what_passed_is_registered_once_per_model_and_goes_where_the_setting_says(tmp_path: Path) -> None:
    workspace = make_project(tmp_path / "p", verdict="PASS", promote="staging")
    first = register_run(workspace, run(workspace), workspace)
    again = register_run(workspace, find_run(workspace, "demo-20260101-000000"), workspace)
    assert (first.new, first.live, again.new, again.version) == (True, "staging", False, first.version)
    change(workspace, verdict="PASS", name="2")  # only the gate decided anew
    assert register_run(workspace, run(workspace, "demo-2"), workspace).version.short == "v1.0.0"
    change(workspace, verdict="PASS", rows="two\n", name="3")
    assert register_run(workspace, run(workspace, "demo-3"), workspace).version.short == "v1.1.0"
    change(workspace, verdict="PASS", labels=("a", "b", "c"), name="4")
    assert register_run(workspace, run(workspace, "demo-4"), workspace).version.short == "v2.0.0"
    live = read_registry(workspace).current("demo", "staging")
    assert live is not None and live.short == "v2.0.0"


def test_the_champion_is_named_by_its_exports_hash(tmp_path: Path) -> None:
    workspace = make_project(tmp_path / "p", verdict="PASS")
    found = run(workspace)
    register_run(workspace, found, workspace)
    promote(workspace, "demo@v1.0.0", "production", who=ANNA, why="first")
    champion = current_references(workspace, "demo")["champion"]
    made = lineage_at(workspace, found.commit, "demo")
    assert champion is not None and champion.hash == made["export"].made["data/demo/export"]
    assert (champion.validated, champion.version, champion.run) == (
        made["validate"].made["data/demo/validate"], "v1.0.0", found.commit,
    )  # fmt: skip


def test_promotion_and_rollback_keep_who_and_why_and_refuse_what_changes_nothing(tmp_path: Path) -> None:
    workspace = make_project(tmp_path / "p", verdict="PASS")
    for number in ("1", "2"):
        change(workspace, verdict="PASS", rows=f"{number}\n", name=number)
        register_run(workspace, run(workspace, f"demo-{number}"), workspace)
        promote(workspace, f"demo@v1.{int(number) - 1}.0", "production", who=ANNA, why=f"number {number}")
    with pytest.raises(UserError, match=r"live in production already, since .* by Anna"):
        promote(workspace, "demo@v1.1.0", "production", who=ANNA, why="again")
    with pytest.raises(UserError, match="needs a reason"):
        rollback(workspace, "demo", who=BEN, why="")
    assert rollback(workspace, "demo", who=BEN, why="too slow").version == "v1.0.0"
    said = read_registry(workspace).history("demo", "production")[-1].tag.message
    assert said is not None and (said.who, said.why, said.what) == (BEN, "too slow", "rollback")
    with pytest.raises(UserError, match=r"No version was live in production before demo@v1\.0\.0"):
        rollback(workspace, "demo", who=BEN, why="further")


@pytest.mark.parametrize("shared", [True, False])
def test_of_two_who_decide_at_once_one_wins_and_the_other_is_told_who(tmp_path: Path, shared: bool) -> None:
    workspace = make_project(tmp_path / "p")
    run(workspace)
    rooms = [workspace, workspace]
    if shared:
        bare = tmp_path / "shared.git"
        git(tmp_path, "clone", "-q", "--bare", str(workspace.root), str(bare))
        git(workspace.root, "remote", "add", "origin", str(bare))
        push_all(workspace, choose_remote(workspace, None))
        rooms[1] = clone_of(bare, tmp_path / "ben", "Ben")
        git(rooms[1].root, "fetch", "-q", "origin", "refs/exps/*:refs/exps/*")
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACE, str(room.root), who, what],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for room, who, what in zip(rooms, (ANNA, BEN), ("approve", "reject"), strict=True)
    ]  # fmt: skip
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    said = [racer.communicate(timeout=60)[0].strip() for racer in racers]
    assert sorted(line == "won" for line in said) == [False, True], said
    first = said.index("won")
    who, did = ((ANNA, "approved"), (BEN, "rejected"))[first]
    assert said[1 - first].startswith(f"2 {who} {did} demo-20260101-000000 at ")
    assert all([each.who for each in read_decisions(room)] == [who] for room in rooms)


def test_an_approval_comes_from_a_clone_that_never_ran_the_pipeline(tmp_path: Path) -> None:
    workspace = make_project(tmp_path / "p")
    found = run(workspace)
    bare, store = tmp_path / "shared.git", tmp_path / "store"
    git(workspace.root, "clone", "-q", "--bare", str(workspace.root), str(bare))
    git(workspace.root, "remote", "add", "origin", str(bare))
    (workspace.root / ".dvc/config.local").write_text(
        f"['remote \"store\"']\n    url = {store}\n[core]\n    remote = store\n"
    )
    from tests.projects import dvc

    dvc(workspace.root, "push", "-q")
    push_all(workspace, choose_remote(workspace, None))
    ben = clone_of(bare, tmp_path / "ben", "Ben")
    (ben.root / ".dvc/config.local").write_text((workspace.root / ".dvc/config.local").read_text())
    git(ben.root, "fetch", "-q", "origin", "refs/exps/*:refs/exps/*")
    introduce(ben.root, "Ben")
    stored = workspace.state / "bentoml"
    as_stored(workspace)
    ben.state.mkdir(parents=True, exist_ok=True)
    stored.rename(ben.state / "bentoml")
    released = approve(ben, find_run(ben, found.name), who=BEN, why="fine", say=LINES.append)
    assert released.registered.version.name == "demo@v1.0.0"
    from tunegate.versions.decisions import refresh

    refresh(workspace)
    assert versions(workspace) == ["demo@v1.0.0"]


def test_the_same_verdict_of_another_run_is_decided_too(tmp_path: Path) -> None:
    workspace = make_project(tmp_path / "p")
    found, again = run(workspace), run(workspace, "demo-20260102-000000")
    reject(workspace, found, who=ANNA, why="it loses refunds")
    with pytest.raises(DecidedError, match="rejected demo-20260101-000000"):
        reject(workspace, again, who=BEN, why="no")


def test_a_person_may_reject_what_the_gate_passed_and_it_goes_nowhere(tmp_path: Path) -> None:
    workspace = make_project(tmp_path / "p", verdict="PASS")
    found = run(workspace)
    version = register_run(workspace, found, workspace).version
    reject(workspace, found, who=ANNA, why="it insults customers")
    with pytest.raises(UserError, match=r"demo@v1\.0\.0 was rejected by Anna .*: it insults customers"):
        promote(workspace, version.name, "production", who=BEN, why="it passed")
    registry = read_registry(workspace)
    assert registry.best("demo") is None and registry.assignments == ()
    assert registry.rejection(version) is not None
    assert current_references(workspace, "demo") == {"champion": None, "best": None}


def test_a_rejected_verdict_is_not_registered_by_a_later_run(tmp_path: Path) -> None:
    workspace = make_project(tmp_path / "p", verdict="PASS")
    found = run(workspace)
    reject(workspace, found, who=ANNA, why="it insults customers")
    with pytest.raises(DecidedError, match=r"Anna .* rejected"):
        register_run(workspace, found, workspace)
    assert versions(workspace) == []
    with pytest.raises(DecidedError):
        approve(workspace, found, who=BEN, why="fine", say=LINES.append)


def test_what_is_live_is_taken_back_before_it_is_rejected(tmp_path: Path) -> None:
    workspace = make_project(tmp_path / "p", verdict="PASS")
    first = run(workspace)
    register_run(workspace, first, workspace)
    change(workspace, verdict="PASS", rows="two\n", name="2")
    second = run(workspace, "demo-20260101-000001")
    register_run(workspace, second, workspace)
    for name in versions(workspace):
        promote(workspace, name, "production", who=ANNA, why="good")
    with pytest.raises(UserError, match=r"demo@v1.1.0 is live in production"):
        reject(workspace, second, who=ANNA, why="it insults customers")
    rollback(workspace, "demo", who=ANNA, why="it insults customers")
    reject(workspace, second, who=ANNA, why="it insults customers")
    with pytest.raises(UserError, match="was rejected"):
        rollback(workspace, "demo", who=BEN, why="back", to="v1.1.0")


def test_a_rollback_passes_over_a_rejected_version(tmp_path: Path) -> None:
    workspace = make_project(tmp_path / "p", verdict="PASS")
    runs = []
    for number in range(3):
        change(workspace, verdict="PASS", rows=f"{number}\n", name=str(number + 1))
        runs.append(run(workspace, f"demo-20260101-00000{number}"))
        promote(
            workspace, register_run(workspace, runs[-1], workspace).version.name, "production", who=ANNA, why="good"
        )
    reject(workspace, runs[1], who=ANNA, why="it insults customers")
    rollback(workspace, "demo", who=ANNA, why="back")
    current = read_registry(workspace).champion("demo")
    assert current is not None and current.short == "v1.0.0"


def test_the_same_model_judged_anew_is_the_same_version(tmp_path: Path) -> None:
    workspace = make_project(tmp_path / "p", verdict="PASS")
    first = register_run(workspace, run(workspace), workspace)
    change(workspace, verdict="PASS", name="2")  # as another margin would: another verdict of the same export
    again = register_run(workspace, run(workspace, "demo-20260101-000001"), workspace)
    assert (again.version.name, again.new) == (first.version.name, False)
    change(workspace, verdict="UNDECIDED", name="3")
    undecided = run(workspace, "demo-20260101-000002")
    as_stored(workspace)
    assert approve(workspace, undecided, who=BEN, why="fine", say=LINES.append).registered.version == first.version
    assert versions(workspace) == ["demo@v1.0.0"]
    assert [each.what for each in read_decisions(workspace)] == ["approve"]


def test_a_forced_model_stays_another_version_than_one_that_passed(tmp_path: Path) -> None:
    workspace = make_project(tmp_path / "p", verdict="FAIL")
    found = run(workspace)
    as_stored(workspace)
    forced = force(workspace, found, who=ANNA, why="the audit is tomorrow", say=LINES.append).registered.version
    change(workspace, verdict="PASS", name="2")
    passed = register_run(workspace, run(workspace, "demo-20260101-000001"), workspace).version
    assert (forced.name, forced.forced) == ("demo@v1.0.0", True)
    assert (passed.name, passed.forced) == ("demo@v1.0.1", False)
