"""Checkpoints written by the tests' own writer, read back; and the same files damaged."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models.bundles import writing
from tests.models.bundles.writing import KINDS, STRING, entry, field, number, shape_message, table, write_bundle
from tunegate.errors import UserError
from tunegate.models.bundles.bundle import Bundle


def some_tensors() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    tensors = {f"of/{name}": (rng.normal(size=(3, 4)) * 50).astype(name) for name in KINDS if name != "bool"}
    return tensors | {
        "of/bool": np.array([True, False]),
        "global_step": np.array(1_000_000, dtype=np.int64),
        "of/none": np.zeros((0, 3), dtype=np.float32),
    }


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("snappy", [False, True])
@pytest.mark.parametrize("big_endian", [False, True])
def test_every_dtype_is_read_as_written(tmp_path: Path, shards: int, snappy: bool, big_endian: bool) -> None:
    tensors = some_tensors()
    bundle = Bundle(write_bundle(tmp_path / "m.ckpt", tensors, shards=shards, snappy=snappy, big_endian=big_endian))
    assert list(bundle.tensors) == sorted(tensors)
    for name, values in tensors.items():
        read = bundle.read(name)
        assert (bundle.tensors[name].shape, bundle.tensors[name].dtype) == (values.shape, values.dtype.name)
        assert read.dtype == values.dtype and read.shape == values.shape
        np.testing.assert_array_equal(read, values)


def test_bfloat16_becomes_float32_of_the_same_numbers(tmp_path: Path) -> None:
    values = np.array([1.0, -2.5, 3.140625, np.inf, 0.0], dtype=np.float32)
    bundle = Bundle(write_bundle(tmp_path / "m", {"w": values}, bfloat16=["w"]))
    assert bundle.tensors["w"].dtype == "bfloat16"
    np.testing.assert_array_equal(bundle.read("w"), values)


def sliced(tmp_path: Path, rows: int = 100) -> tuple[Path, np.ndarray]:
    """`w`, [rows, 2], in two parts of 30 rows and the rest; keys as TensorFlow 2.20 writes them."""
    values = np.arange(rows * 2, dtype=np.float32).reshape(rows, 2)
    first, second = values[:30].tobytes(), values[30:].tobytes()
    key = b"\x00w\x00\x01\x01\x02"
    parts = {
        key + b"\x80" + b"\x9e" + b"\x80\x7f": entry(1, (30, 2), 0, 0, first),
        key + b"\x9e" + b"\xc0\x46" + b"\x80\x7f": entry(1, (rows - 30, 2), 0, len(first), second),
        b"w": field(1, 1)
        + field(2, shape_message(values.shape))
        + field(7, field(1, field(2, 30)) + field(1, b""))
        + field(7, field(1, field(1, 30) + field(2, rows - 30)) + field(1, b"")),
    }
    prefix = write_bundle(tmp_path / "m", {}, extra=parts)
    prefix.with_name("m.data-00000-of-00001").write_bytes(first + second)
    return prefix, values


def test_a_tensor_saved_in_parts_is_put_together(tmp_path: Path) -> None:
    prefix, values = sliced(tmp_path)
    bundle = Bundle(prefix)
    assert list(bundle.tensors) == ["w"]
    np.testing.assert_array_equal(bundle.read("w"), values)


def test_parts_that_leave_a_gap_are_refused(tmp_path: Path) -> None:
    prefix, _ = sliced(tmp_path, rows=100)
    index = prefix.with_name("m.index")
    whole = field(2, shape_message((100, 2)))
    found = index.read_bytes()
    assert whole in found
    entries = {b"": field(1, 1), b"w": field(1, 1) + whole + field(7, field(1, field(2, 30)) + field(1, b""))}
    key = b"\x00w\x00\x01\x01\x02\x80\x9e\x80\x7f"
    raw = prefix.with_name("m.data-00000-of-00001").read_bytes()[:240]
    index.write_bytes(table(sorted({**entries, key: entry(1, (30, 2), 0, 0, raw)}.items())))
    with pytest.raises(UserError, match="its parts do not make the whole"):
        Bundle(prefix).read("w")


def test_strings_are_listed_and_not_read(tmp_path: Path) -> None:
    bundle = Bundle(write_bundle(tmp_path / "m", {}, extra={b"graph": entry(STRING, (), 0, 0, b"")}))
    assert bundle.tensors["graph"].dtype == "type 7"
    with pytest.raises(UserError, match="no plain numbers"):
        bundle.read("graph")


def lying(tmp_path: Path, message: bytes) -> Path:
    return write_bundle(tmp_path / "m", {"a": np.zeros(4, np.float32)}, extra={b"lie": message})


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (entry(1, (4,), 0, 1 << 60, bytes(16)), "ends at byte"),
        (entry(1, (1 << 40,), 0, 0, bytes(16)), "do not make the shape"),
        (field(1, 1) + field(2, shape_message((1 << 38,))) + field(5, 1 << 40), "more bytes than all data files hold"),
        (entry(1, (4,), 9, 0, bytes(16)), "data file 9 of 1"),
        (entry(1, (4,), 0, 0, b"\x01" * 16), "checksum is wrong"),
        (entry(99, (4,), 0, 0, bytes(16)), "no plain numbers"),
    ],
)
def test_an_entry_that_lies_is_one_sentence_and_no_allocation(tmp_path: Path, message: bytes, said: str) -> None:
    prefix = lying(tmp_path, message)
    with prefix.with_name("m.data-00000-of-00001").open("ab") as data:
        data.write(bytes(16))
    with pytest.raises(UserError, match=said):
        Bundle(prefix).read("lie")


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (field(1, 1) + field(2, shape_message((-1,))), "shape is none"),
        (field(1, 1) + field(2, shape_message((1 << 62, 0))), "shape is none"),
        (field(1, 1) + field(2, shape_message([1] * 100)), "shape is none"),
        (field(4, -5), "negative place"),
        (field(2, 7), "number stands where a message"),
        (number(2 << 3 | 2) + number(100) + b"short", "message ends early"),
        (number(2 << 3 | 3), "unknown kind 3"),
    ],
)
def test_an_index_with_an_entry_that_is_none_is_refused(tmp_path: Path, message: bytes, said: str) -> None:
    with pytest.raises(UserError, match=f"m.index is damaged: .*{said}"):
        Bundle(lying(tmp_path, message))


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (b"", "speaks of 0 data files"),
        (field(1, 1 << 40), "data files"),
        (field(1, 1) + field(2, 5), "byte order 5"),
        (field(1, 1) + field(3, field(2, 7)), "reader of version 7"),
    ],
)
def test_a_header_that_is_none_is_refused(tmp_path: Path, header: bytes, said: str) -> None:
    with pytest.raises(UserError, match=said):
        Bundle(write_bundle(tmp_path / "m", {}, extra={b"": header}))


def test_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"m\.index cannot be read: No such file"):
        Bundle(tmp_path / "m")
    prefix = write_bundle(tmp_path / "m", {"a": np.zeros(4, np.float32), "b": np.zeros(4, np.float32)}, shards=2)
    prefix.with_name("m.data-00000-of-00002").write_bytes(bytes(32))
    prefix.with_name("m.data-00001-of-00002").unlink()
    with pytest.raises(UserError, match=r"data file m\.data-00001-of-00002 is not there"):
        Bundle(prefix).read("b")


def test_a_prefix_repeated_a_hundred_thousand_times_takes_no_memory(tmp_path: Path) -> None:
    first = number(0) + number(4000) + number(0) + b"k" * 4000
    keys = [number(3900) + number(100) + number(0) + f"l{place:099d}".encode() for place in range(100_000)]
    content = first + b"".join(keys) + bytes(4) + (1).to_bytes(4, "little")
    typed = content + b"\x00"
    data = typed + writing.quick_masked_crc(typed).to_bytes(4, "little")
    place = number(0) + number(len(content))
    (tmp_path / "m.index").write_bytes(data + (place * 2).ljust(40, b"\x00") + 0xDB4775248B80FB57.to_bytes(8, "little"))
    with pytest.raises(UserError, match="not in order, or too many"):
        Bundle(tmp_path / "m")


def read_all(prefix: Path) -> None:
    bundle = Bundle(prefix)
    for name in bundle.tensors:
        bundle.read(name)


@settings(max_examples=100, deadline=None)
@given(data=st.data(), snappy=st.booleans())
def test_a_changed_bit_or_a_cut_is_noticed_or_changes_nothing(data: st.DataObject, snappy: bool) -> None:
    with TemporaryDirectory() as scratch:
        prefix = write_bundle(Path(scratch) / "m", some_tensors(), shards=2, snappy=snappy)
        files = sorted(prefix.parent.iterdir())
        file = data.draw(st.sampled_from(files))
        raw = bytearray(file.read_bytes())
        at = data.draw(st.integers(0, len(raw) - 1))
        if data.draw(st.booleans()):
            raw = raw[:at]
        else:
            raw[at] ^= 1 << data.draw(st.integers(0, 7))
        file.write_bytes(raw)
        try:
            bundle = Bundle(prefix)
            read = {name: bundle.read(name) for name in bundle.tensors}
        except UserError as error:
            assert str(prefix) in error.problem  # noqa: PT017
        else:  # padding, the place of the block that is not used
            for name, values in some_tensors().items():
                np.testing.assert_array_equal(read[name], values)


@settings(max_examples=100, deadline=None)
@given(
    entries=st.dictionaries(
        st.binary(max_size=6),
        st.binary(max_size=12)
        | st.lists(st.tuples(st.integers(1, 7), st.integers(-2, 1 << 63) | st.binary(max_size=8)), max_size=6).map(
            lambda pairs: b"".join(field(*pair) for pair in pairs)
        ),
        max_size=6,
    ),
    headed=st.booleans(),
)
def test_a_well_formed_table_of_any_values_is_read_or_refused(entries: dict[bytes, bytes], headed: bool) -> None:
    with TemporaryDirectory() as scratch:
        prefix = Path(scratch) / "m"
        given_entries = {**entries, b"": field(1, 1)} if headed else entries
        prefix.with_name("m.index").write_bytes(table(sorted(given_entries.items())))
        prefix.with_name("m.data-00000-of-00001").write_bytes(bytes(64))
        try:
            read_all(prefix)
        except UserError as error:
            assert str(prefix) in error.problem  # noqa: PT017


@settings(max_examples=100, deadline=None)
@given(content=st.binary(max_size=80), kind=st.integers(0, 2))
def test_a_block_of_any_bytes_with_a_true_checksum_is_read_or_refused(content: bytes, kind: int) -> None:
    with TemporaryDirectory() as scratch:
        typed = content + bytes([kind])
        place = number(0) + number(len(content))
        data = typed + writing.quick_masked_crc(typed).to_bytes(4, "little") + (place * 2).ljust(40, b"\x00")
        (Path(scratch) / "m.index").write_bytes(data + 0xDB4775248B80FB57.to_bytes(8, "little"))
        with pytest.raises(UserError):  # no header is in it
            Bundle(Path(scratch) / "m")
