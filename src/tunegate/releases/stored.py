"""The files that DVC keeps of a version, against what dvc.lock, git and the manifests at its commit say of them."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from tunegate.dvc.objects import FOLDER, MissingObjectError, Objects
from tunegate.exported import MANIFEST, Manifest
from tunegate.releases.differences import Difference, part_of, short
from tunegate.stages import STAGES
from tunegate.versions.git import file_at
from tunegate.versions.lineage import Made, lineage_at
from tunegate.versions.registry import Version
from tunegate.workspace import Workspace

MEND = "Bring it back from a whole copy: `dvc fetch --force` from a remote that has it, or a colleague's `dvc push`."
IN_BENTO = "bento/src/serving/export"


class Stored:
    """A version's commit with the objects that it names."""

    def __init__(self, workspace: Workspace, objects: Objects, version: Version) -> None:
        self.version = version
        self.pipeline = version.pipeline
        self._root = workspace.root
        self._objects = objects
        order = list(STAGES)
        found = lineage_at(workspace, version.tag.commit, version.pipeline)
        self.lineage: dict[str, Made] = dict(
            sorted(found.items(), key=lambda each: order.index(each[0]) if each[0] in order else len(order))
        )

    def differences(self) -> Iterator[Difference]:
        """Stage after stage: what it read, then what it made."""
        for stage, made in self.lineage.items():
            yield from self._settings(stage, made)
            for path, hash_value in made.read.items():
                yield from self._read(path, hash_value)
            for path, hash_value in made.made.items():
                yield from self._made(path, hash_value)
            if stage == "export":
                yield from self._export(f"data/{self.pipeline}/export", "")
            if stage == "package":
                yield from self._bento()

    def files(self, path: str, hash_value: str, remote: str | None = None) -> dict[str, str]:
        """Path to MD5 of every file of a file or folder; empty where the folder's object is missing or damaged."""
        if not hash_value.endswith(FOLDER):
            return {path: hash_value}
        try:
            return {f"{path}/{name}": md5 for name, md5 in self._objects.listing(hash_value, remote).items()}
        except (MissingObjectError, ValueError, KeyError, TypeError):
            return {}

    def tracked(self, path: str) -> tuple[str, str | None] | None:
        """What the commit's `.dvc` file says of a path: its hash, and the remote that it names; None without one."""
        from ruamel.yaml import YAML

        content = file_at(self._root, self.version.tag.commit, f"{path}.dvc")
        if content is None:
            return None
        entry = YAML(typ="safe").load(content)["outs"][0]
        return str(entry["md5"]), entry.get("remote")

    def _settings(self, stage: str, made: Made) -> Iterator[Difference]:
        """inputs.json of the commit is what the stage saw."""
        path = f"data/{self.pipeline}/inputs.json"
        content = file_at(self._root, self.version.tag.commit, path)
        inputs = json.loads(content) if content else {}
        for key, value in made.settings.items():
            if _at(inputs, key) != value:
                yield Difference(
                    "the settings",
                    f"{path}: {key}",
                    f"{key} is {_at(inputs, key)!r} in {path}, and {stage} was run with {value!r}.",
                    "The commit's inputs.json was edited after the run; `git log` says by whom.",
                )

    def _read(self, path: str, hash_value: str) -> Iterator[Difference]:
        upstream = self._maker(path)
        if upstream is not None:
            yield from self._same_as_made(path, hash_value, *upstream)
            return
        tracked = self.tracked(path)
        if tracked is not None and tracked[0] != hash_value:
            yield self._difference(path, f"{path}.dvc names {short(tracked[0])}", hash_value)
        content = None if tracked else file_at(self._root, self.version.tag.commit, path)
        if content is not None:
            yield from self._in_git(path, content, hash_value)
        else:
            yield from self._objects_of(path, hash_value, tracked[1] if tracked else None)

    def _maker(self, path: str) -> tuple[str, str] | None:
        """The output, with its hash, that a path is or lies in."""
        outs = {out: value for made in self.lineage.values() for out, value in made.made.items()}
        found = [out for out in outs if path == out or path.startswith(f"{out}/")]
        return (found[0], outs[found[0]]) if found else None

    def _same_as_made(self, path: str, hash_value: str, out: str, made: str) -> Iterator[Difference]:
        """What a stage read is what an earlier one made; the content is looked at where it was made."""
        if path != out:
            inside = self.files(out, made)
            if not inside:
                return  # told with the output itself
            made = inside.get(path) or _folder(path, inside)
        if made != hash_value:
            yield self._difference(path, f"it was made as {short(made)}", hash_value)

    def _made(self, path: str, hash_value: str) -> Iterator[Difference]:
        content = file_at(self._root, self.version.tag.commit, path)
        if content is not None:
            yield from self._in_git(path, content, hash_value)
        else:
            yield from self._objects_of(path, hash_value, None)

    def _in_git(self, path: str, content: bytes, hash_value: str) -> Iterator[Difference]:
        found = hashlib.md5(content, usedforsecurity=False).hexdigest()
        if found != hash_value:
            yield self._difference(path, f"the commit's file is {short(found)}", hash_value)

    def _objects_of(self, path: str, hash_value: str, remote: str | None) -> Iterator[Difference]:
        """The folder's own object, then each file's content."""
        yield from self._object(path, hash_value, remote)
        for name, md5 in self.files(path, hash_value, remote).items():
            if name != path:
                yield from self._object(name, md5, remote)

    def _object(self, path: str, oid: str, remote: str | None) -> Iterator[Difference]:
        try:
            content = self._objects.content(oid, remote)
        except MissingObjectError:
            where = f"the DVC remote {remote or self._objects.default}"
            yield Difference(
                part_of(path),
                path,
                f"{path} ({short(oid)}) is neither in DVC's cache nor in {where}.",
                "Run `tunegate push` on a machine that has it, then verify again.",
                missing=True,
            )
            return
        if content.md5 != oid.removesuffix(FOLDER):
            yield self._difference(path, f"{content.place} holds {short(content.md5)}", oid)

    def _difference(self, path: str, found: str, expected: str) -> Difference:
        part = part_of(path)
        return Difference(
            part, path, f"{path} differs: {found}, and {self.version.name} has {short(expected)} ({part}).", MEND
        )

    def _export(self, folder: str, inside: str) -> Iterator[Difference]:
        """The manifest's SHA-256 of each file, which DVC's MD5 does not know of."""
        outs = {path: value for made in self.lineage.values() for path, value in made.made.items()}
        files = self.files(folder, outs[folder])
        place = f"{folder}/{inside}/" if inside else f"{folder}/"
        manifest_path = f"{place}{MANIFEST}"
        if manifest_path not in files:
            return
        manifest = self._manifest(files[manifest_path])
        if manifest is None or not manifest.is_whole:
            yield Difference(part_of(folder), manifest_path, f"{manifest_path} was edited: its digest differs.", MEND)
            return
        for name, expected in manifest.files.items():
            oid = files.get(f"{place}{name}")
            found = self._objects.content(oid).sha256 if oid else "missing"
            if found != expected:
                problem = f"{place}{name} is {short(found)}, and the manifest says {short(expected)} (SHA-256)."
                yield Difference(part_of(folder), f"{place}{name}", problem, MEND)

    def _manifest(self, oid: str) -> Manifest | None:
        try:
            return Manifest.model_validate_json(self._objects.read(oid))
        except ValueError:
            return None

    def _bento(self) -> Iterator[Difference]:
        """The Bento holds the very export, and is the one that the tag names."""
        folder = f"data/{self.pipeline}/package"
        yield from self._export(folder, IN_BENTO)
        files = self.files(folder, self.lineage["package"].made.get(folder, ""))
        said = self.version.said.bento if self.version.said else None
        tag = files.get(f"{folder}/tag.txt")
        if tag and said and (found := self._objects.read(tag).decode(errors="replace").strip()) != said:
            problem = f"The packaged Bento is {found}, and {self.version.name} was registered with {said}."
            yield Difference(part_of(folder), f"{folder}/tag.txt", problem, MEND)


def _at(inputs: Any, key: str) -> Any:
    """By dotted key; None where it is not there."""
    for part in key.split("."):
        inputs = inputs.get(part) if isinstance(inputs, dict) else None
    return inputs


def _folder(path: str, files: dict[str, str]) -> str:
    """The hash that DVC gives a folder within a folder."""
    inside = {name.removeprefix(f"{path}/"): md5 for name, md5 in files.items() if name.startswith(f"{path}/")}
    listed = [{"md5": inside[name], "relpath": name} for name in sorted(inside, key=lambda name: name.split("/"))]
    return hashlib.md5(json.dumps(listed, sort_keys=True).encode(), usedforsecurity=False).hexdigest() + FOLDER
