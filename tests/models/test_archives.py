import io
import random
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.models.google.published import ALBERT, BERT, publish
from tunegate.errors import UserError
from tunegate.models import archives
from tunegate.models.archives import unpack


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


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz"])
def test_a_damaged_archive_is_one_sentence_wherever_the_damage_is(name: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "vocab.txt").write_text("word\n" * 50)
    content = packed(tmp_path / "in", tmp_path / name).read_bytes()
    draw, refused = random.Random(0), 0
    for number in range(150):
        changed = bytearray(content[: draw.randrange(len(content))] if number % 3 == 0 else content)
        for _ in range(draw.choice([1, 4]) if changed else 0):
            changed[draw.randrange(len(changed))] = draw.randrange(256)
        (tmp_path / name).write_bytes(changed)
        out = tmp_path / f"out{number}"
        out.mkdir()
        try:
            unpack(tmp_path / name, out)
        except UserError as error:
            refused += bool(error.remedy)
    assert refused > 50


def bomb(name: str, folder: Path) -> Path:
    """An archive that claims or holds far more than it should, small on the disk."""
    path = folder / name
    if name == "many.zip":
        with zipfile.ZipFile(path, "w") as made:
            for number in range(30):
                made.writestr(f"{number}/x", "")
    elif name == "large.zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
            made.writestr("unwanted.bin", bytes(3_000_000))
            made.writestr("vocab.txt", bytes(3_000_000))
    else:
        with tarfile.open(path, "w:gz") as tar:
            member = tarfile.TarInfo("unwanted.bin" if name == "large.tar.gz" else "vocab.txt")
            member.size = 6_000_000
            if name == "header.tar.gz":
                member.type = tarfile.XHDTYPE  # a header of such a size is read whole by Python's own reader
            tar.addfile(member, io.BytesIO(bytes(member.size)))
    return path


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("many.zip", "more than any base model: 21 files"),
        ("large.zip", r"more than any base model: .* 6,000,000 bytes"),
        ("large.tar.gz", r"more than any base model: .* 6,000,000 bytes"),
        ("header.tar.gz", "a header claims"),
    ],
)
def test_an_archive_that_would_fill_disk_or_memory_is_refused_before_it_does(
    name: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MOST_BYTES", 5_000_000)
    monkeypatch.setattr(archives, "MOST_MEMBERS", 20)
    monkeypatch.setattr(archives, "LARGEST_READ", 1 << 20)
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(UserError, match=says):
        unpack(bomb(name, tmp_path), out)
    assert sum(path.stat().st_size for path in out.iterdir()) < 5_000_000


def test_a_link_in_the_place_of_a_file_gives_none(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        link = tarfile.TarInfo("bert_config.json")
        link.type, link.linkname = tarfile.LNKTYPE, "../../etc/passwd"
        tar.addfile(link)
    (tmp_path / "out").mkdir()
    unpack(tmp_path / "a.tar", tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())
