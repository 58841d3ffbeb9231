"""PyTorch's own files, read without PyTorch and without running anything: the same numbers, or one sentence."""

import collections
import os
import pickle
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tunegate.errors import UserError
from tunegate.models.torch_files import instructions
from tunegate.models.torch_files.reading import read_weights

FORMS = [True, False]  # zip, and the stream from before PyTorch 1.6


def weights() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    table = torch.randn(7, 5)
    return collections.OrderedDict(
        table=table,
        turned=table.T,  # the same numbers, other strides
        row=table[3],  # a part of them
        scalar=torch.tensor(2.5),
        empty=torch.zeros(0, 4),
        half=torch.randn(3, 2).half(),
        brain=torch.randn(4, 3).bfloat16(),
        double=torch.randn(2, 2).double(),
        places=torch.arange(6).reshape(1, 6),
        small=torch.tensor([-3, 7], dtype=torch.int8),
        mask=torch.tensor([True, False]),
        parameter=torch.nn.Parameter(torch.randn(2)),
    )


def save(value: object, path: Path, zipped: bool) -> Path:
    torch.save(value, path, _use_new_zipfile_serialization=zipped)
    return path


@pytest.mark.parametrize("zipped", FORMS)
def test_the_numbers_are_those_that_pytorch_wrote(zipped: bool, tmp_path: Path) -> None:
    expected = weights()
    found = read_weights(save(expected, tmp_path / "pytorch_model.bin", zipped))
    assert list(found) == list(expected)
    for name, tensor in expected.items():
        wanted = tensor.detach().float() if tensor.dtype is torch.bfloat16 else tensor.detach()
        np.testing.assert_array_equal(found[name], wanted.numpy())
        assert found[name].dtype == wanted.numpy().dtype and found[name].flags.c_contiguous


@pytest.mark.parametrize("zipped", FORMS)
def test_a_models_own_state_with_its_metadata_is_read(zipped: bool, tmp_path: Path) -> None:
    state = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.LayerNorm(2)).state_dict()
    assert state._metadata  # type: ignore[attr-defined]
    found = read_weights(save(state, tmp_path / "a.bin", zipped))
    assert {name: value.shape for name, value in found.items()} == {n: tuple(v.shape) for n, v in state.items()}


class Call:
    """What an unpickler would run."""

    def __init__(self, function: Callable[..., Any], *arguments: object) -> None:
        self.what = function, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[object, ...]]:
        return self.what


def hostile(tmp_path: Path) -> dict[str, object]:
    ran = str(tmp_path / "ran")
    return {
        "a shell": Call(os.system, f"touch {ran}"),
        "among weights": {"a": torch.zeros(1), "b": Call(os.system, f"touch {ran}")},
        "python itself": {"a": Call(eval, f"open({ran!r}, 'w')")},
        "an import": {"a": Call(__import__, "antigravity")},
        "another class": {"a": Path(ran)},
    }


@pytest.mark.parametrize("zipped", FORMS)
@pytest.mark.parametrize("case", ["a shell", "among weights", "python itself", "an import", "another class"])
def test_nothing_that_a_file_names_is_ever_called(case: str, zipped: bool, tmp_path: Path) -> None:
    path = save(hostile(tmp_path)[case], tmp_path / "a.bin", zipped)
    with pytest.raises(UserError, match=r"is no file of weights alone: it holds a call of|something else than weights"):
        read_weights(path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("zipped", FORMS)
@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({}, "holds no weights"),
        ({"state_dict": {"a": torch.zeros(1)}}, "something else than weights by name"),
        ([torch.zeros(1)], "something else than weights by name"),
        ({"a": torch.zeros(2).to(torch.complex64)}, "a kind that is not known here"),
    ],
)
def test_what_is_no_list_of_weights_is_said(value: object, says: str, zipped: bool, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=says):
        read_weights(save(value, tmp_path / "a.bin", zipped))


def test_a_tensor_that_reaches_beyond_its_numbers_is_refused(tmp_path: Path) -> None:
    whole = zipfile.ZipFile(save({"a": torch.zeros(8)}, tmp_path / "a.bin", True))
    for name, content in (("cut", b"\0" * 4), ("expanded", None)):
        with zipfile.ZipFile(tmp_path / name, "w") as made:
            for member in whole.namelist():
                data = whole.read(member)
                made.writestr(member, content if content is not None and member.endswith("data/0") else data)
    with pytest.raises(UserError, match="a reaches beyond its numbers"):
        read_weights(tmp_path / "cut")
    spread = torch.zeros(1).expand(1_000_000_000)  # four bytes that would become four gigabytes
    with pytest.raises(UserError, match="a reaches beyond its numbers"):
        read_weights(save({"a": spread}, tmp_path / "b.bin", True))


@pytest.mark.parametrize("zipped", FORMS)
def test_a_damaged_file_is_one_sentence(zipped: bool, tmp_path: Path) -> None:
    content = save(weights(), tmp_path / "a.bin", zipped).read_bytes()
    draw = random.Random(0)
    damaged = [content[: draw.randrange(len(content))] for _ in range(40)]
    for _ in range(160):
        changed = bytearray(content)
        for _ in range(draw.choice([1, 1, 8])):
            changed[draw.randrange(len(content))] = draw.randrange(256)
        damaged.append(bytes(changed))
    refused = 0
    for case in damaged:
        (tmp_path / "b.bin").write_bytes(case)
        try:
            read_weights(tmp_path / "b.bin")
        except UserError as error:
            refused += bool(error.remedy)
    assert refused > 60  # many changes hit padding, or a number: those read


def test_a_program_without_end_is_not_carried_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instructions, "MOST_INSTRUCTIONS", 1_000)
    (tmp_path / "a.bin").write_bytes(pickle.PROTO + b"\x02" + pickle.NONE * 2_000 + pickle.STOP)
    with pytest.raises(UserError, match="more instructions than any model's"):
        read_weights(tmp_path / "a.bin")
