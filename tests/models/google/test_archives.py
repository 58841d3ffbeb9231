import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.models.google.published import ALBERT, BERT, publish
from tunegate.errors import UserError
from tunegate.models.google.archives import unpack


def packed(folder: Path, archive: Path) -> Path:
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive, "w") as made:
            for path in sorted(folder.iterdir()):
                made.write(path, f"{folder.name}/{path.name}")
            made.writestr(f"__MACOSX/{folder.name}/._vocab.txt", "")
            made.writestr(f"__MACOSX/{folder.name}/vocab.txt", "")
    else:
        with tarfile.open(archive, "w:gz") as tar:
            tar.add(folder, folder.name)
    return archive


@pytest.mark.parametrize("name", ["uncased_L-2.zip", "albert_base_v2.tar.gz"])
def test_an_archive_is_unpacked_flat_and_only_what_a_checkpoint_is_made_of(tmp_path: Path, name: str) -> None:
    publish(tmp_path / "published", ALBERT if "albert" in name else BERT)
    (tmp_path / "published" / "bert_model.ckpt.meta").write_bytes(b"graph")
    out = tmp_path / "out"
    out.mkdir()
    unpack(packed(tmp_path / "published", tmp_path / name), out)
    expected = {path.name for path in (tmp_path / "published").iterdir()} - {"bert_model.ckpt.meta", "30k-clean.vocab"}
    assert {path.name for path in out.iterdir()} == expected
    assert all((out / name).read_bytes() == (tmp_path / "published" / name).read_bytes() for name in expected)


def test_members_never_leave_the_folder(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as made:
        made.writestr("../../vocab.txt", "x")
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        link = tarfile.TarInfo("vocab.txt")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
        member = tarfile.TarInfo("/tmp/bert_config.json")
        member.size = 1
        tar.addfile(member, io.BytesIO(b"x"))
    for name in ("a.zip", "a.tar.gz"):
        (tmp_path / "in" / name).mkdir(parents=True)
        unpack(tmp_path / name, tmp_path / "in" / name)
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()) == [
        "a.tar.gz",
        "a.zip",
        "in/a.tar.gz/bert_config.json",
        "in/a.zip/vocab.txt",
    ]


def test_two_checkpoints_in_one_archive_and_a_damaged_one_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as made:
        made.writestr("one/vocab.txt", "x")
        made.writestr("two/vocab.txt", "x")
    with pytest.raises(UserError, match=r"one/vocab\.txt and two/vocab\.txt: two checkpoints"):
        unpack(tmp_path / "a.zip", tmp_path)
    for name in ("b.zip", "b.tar.gz"):
        (tmp_path / name).write_bytes(b"not an archive" * 50)
        with pytest.raises(UserError, match=f"{name} cannot be unpacked"):
            unpack(tmp_path / name, tmp_path)
