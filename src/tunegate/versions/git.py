"""Git's plumbing by subprocess: objects and refs in and out, and the working tree as a commit of its own.

Nothing here touches a branch, the person's index or the working tree. Git's failures come out as sentences.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from tunegate.errors import OutsideError, UserError

NOTHING = "0" * 40
"""The old value of a ref that must not be there yet."""

FALLBACK = {"NAME": "tunegate", "EMAIL": "tunegate@localhost"}  # for the author of a commit where git knows nobody
REMOTE_SECONDS = 120.0  # a remote that says nothing for so long is given up
OF_ANOTHER = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")  # set where git itself started us (a hook)
QUIET = {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}


class GitError(UserError):
    """A git command failed. `said` is what git wrote."""

    def __init__(self, command: str, said: str) -> None:
        self.said = said.strip()
        super().__init__(f"`git {command}` failed: {self.said}.", "Mend what git names, then try again.")


def git(root: Path, *arguments: str, stdin: str | bytes = b"", env: Mapping[str, str] | None = None) -> str:
    """What git writes to standard output. Raises GitError, and UserError where there is no git."""
    return git_bytes(root, *arguments, stdin=stdin, env=env).decode("utf-8", errors="replace")


def git_bytes(root: Path, *arguments: str, stdin: str | bytes = b"", env: Mapping[str, str] | None = None) -> bytes:
    """The same, undecoded."""
    done = _call(root, arguments, stdin, env, None)
    if done.returncode:
        raise GitError(arguments[0], (done.stderr or done.stdout).decode("utf-8", errors="replace"))
    return done.stdout


def _call(
    root: Path,
    arguments: Sequence[str],
    stdin: str | bytes,
    env: Mapping[str, str] | None,
    timeout: float | None,
) -> "subprocess.CompletedProcess[bytes]":
    content = stdin.encode() if isinstance(stdin, str) else stdin
    outer = {name: value for name, value in os.environ.items() if name not in OF_ANOTHER}
    environment = {**outer, **QUIET, **(env or {})}
    try:
        return subprocess.run(
            ["git", *arguments],
            cwd=root,
            input=content,
            capture_output=True,
            env=environment,
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError as error:
        raise UserError("There is no `git` on this machine.", "Install git 2.34 or newer.") from error


def commit_of(root: Path, revision: str) -> str | None:
    """The full hash of the commit that a revision (also a tag) names; None where there is no such commit."""
    done = _call(
        root, ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"], b"", None, None
    )
    return done.stdout.decode().strip() or None if done.returncode == 0 else None


def identity(root: Path) -> str | None:
    """`Name <mail>` as git is set up; None where it knows nobody."""
    done = _call(root, ["var", "GIT_AUTHOR_IDENT"], b"", None, None)
    if done.returncode:
        return None
    return done.stdout.decode("utf-8", errors="replace").rpartition(">")[0] + ">"


def author(root: Path) -> dict[str, str]:
    """The variables that name who commits: nothing where git knows it, else a fallback."""
    if identity(root) is not None:
        return {}
    return {f"GIT_{role}_{part}": value for role in ("AUTHOR", "COMMITTER") for part, value in FALLBACK.items()}


def file_at(root: Path, commit: str, path: str) -> bytes | None:
    """A file's content in a commit; None where it is not in it."""
    return next(files_at(root, [f"{commit}:{path}"]))


def files_at(root: Path, names: Iterable[str]) -> Iterator[bytes | None]:
    """Contents of `<commit>:<path>`, in order, from one process; None for what is not there."""
    wanted = list(names)
    if not wanted:
        return
    out = git_bytes(root, "cat-file", "--batch", stdin="".join(f"{name}\n" for name in wanted))
    place = 0
    for _ in wanted:
        end = out.index(b"\n", place)
        header, place = out[place:end].rsplit(b" ", 2), end + 1
        if not header[-1].isdigit():
            yield None
            continue
        size = int(header[-1])
        yield out[place : place + size]
        place += size + 1


def write_tree(root: Path, base: str | None, update: Iterable[Path] | None = None) -> str:
    """The hash of a tree: `base` with the given paths as they are now in the working tree.

    Without a base: the working tree as it is, everything that git does not ignore. The person's index is only read.
    """
    with tempfile.TemporaryDirectory(prefix="tunegate-") as folder:
        index = Path(folder) / "index"
        env = {"GIT_INDEX_FILE": str(index)}
        if base is None:
            own = Path(git(root, "rev-parse", "--path-format=absolute", "--git-path", "index").strip())
            if own.is_file():
                # Its entries' times spare git from reading every file; its own time tells git which it has to read all
                # the same, since they changed in the second in which it was written (git's "racy" entries).
                shutil.copy2(own, index)
            git(root, "-c", "advice.addEmbeddedRepo=false", "add", "--all", env=env)
        else:
            git(root, "read-tree", base, env=env)
            names = "".join(f"{path}\0" for path in _existing(root, update or ()))
            git(root, "update-index", "--add", "--remove", "-z", "--stdin", stdin=names, env=env)
        return git(root, "write-tree", env=env).strip()


def _existing(root: Path, paths: Iterable[Path]) -> Iterator[str]:
    """Files, relative to the root; of a folder every file in it."""
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if not file.is_dir():
                yield file.relative_to(root).as_posix()


def commit_tree(root: Path, tree: str, parents: Sequence[str], message: str) -> str:
    """A commit that no ref names yet."""
    named = [word for parent in parents for word in ("-p", parent)]
    return git(root, "commit-tree", tree, *named, "-F", "-", stdin=message, env=author(root)).strip()


def create_ref(root: Path, ref: str, target: str) -> bool:
    """Whether the ref is ours now: False where it is there already with another value. Atomic."""
    try:
        git(root, "update-ref", ref, target, NOTHING)
    except GitError:
        there = git(root, "for-each-ref", "--format=%(objectname)", ref).strip()
        if not there:
            raise
        return there == target
    return True


def remote(root: Path, *arguments: str, stdin: str = "") -> str:
    """A git command that talks to a remote: no questions, not for ever. Raises OutsideError where it cannot be had.

    A refused push is a GitError: the remote answered.
    """
    env = {"GIT_SSH_COMMAND": os.environ.get("GIT_SSH_COMMAND", "ssh -o BatchMode=yes -o ConnectTimeout=15")}
    try:
        done = _call(root, arguments, stdin, env, REMOTE_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise OutsideError(
            f"The git remote did not answer `git {arguments[0]}` within {REMOTE_SECONDS:.0f} seconds.",
            "Look at the connection, then try again.",
        ) from error
    out, said = (text.decode("utf-8", errors="replace") for text in (done.stdout, done.stderr))
    if done.returncode and any(f"\n{mark}" in f"\n{out}" for mark in ("!\t", " ! ")):
        raise GitError(arguments[0], f"{out}\n{said}")
    if done.returncode:
        raise OutsideError(
            f"`git {arguments[0]}` with the remote failed: {said.strip()}.",
            "Look at the remote (`git remote -v`) and your right to write to it, then try again.",
        )
    return out
