import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.models.bundles.writing import slow_masked_crc
from tunegate.models.bundles import crc32c as module
from tunegate.models.bundles.crc32c import crc32c, masked


@pytest.mark.parametrize(
    ("data", "crc"),  # RFC 3720, B.4
    [
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
        (b"", 0),
    ],
)
def test_the_standards_examples(data: bytes, crc: int) -> None:
    assert crc32c(data) == crc


@given(st.binary(max_size=200))
def test_any_bytes_sum_as_a_loop_over_their_bits_does(data: bytes) -> None:
    assert masked(crc32c(data)) == slow_masked_crc(data)


@given(length=st.integers(0, 300), chunk=st.sampled_from([8, 16, 64]))
def test_the_size_of_the_parts_changes_nothing(length: int, chunk: int) -> None:
    data = np.random.default_rng(length).integers(0, 256, length, dtype=np.uint8)
    whole = crc32c(data)
    before, module.CHUNK = module.CHUNK, chunk
    try:
        assert crc32c(data) == whole
    finally:
        module.CHUNK = before
