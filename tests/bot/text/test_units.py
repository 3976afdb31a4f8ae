"""Durations and sizes as people write them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.text.units import duration_text, seconds, size, size_text


@pytest.mark.parametrize(
    ("text", "value"),
    [("30s", 30), ("15m", 900), ("1h30m", 5400), ("2d", 172800), ("90", 90), ("1d1s", 86401)],
)
def test_duration_is_read(text: str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "soon", "1.5h", "30m1h", "-1s", "1 h", "٣s", "1w", "m", "9" * 13])
def test_other_text_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="such as 30s"):
        seconds(text)


@settings(deadline=None)
@given(st.integers(0, 10**8))
def test_duration_is_written_as_it_is_read(value: int) -> None:
    assert seconds(duration_text(value)) == value


@settings(deadline=None)
@given(st.integers(0, 10**15))
def test_size_is_written_as_it_is_read(value: int) -> None:
    assert size(size_text(value)) == value


@pytest.mark.parametrize("text", ["512Mi", "1Gi", "1536Mi", "4Ki", "1000", "0"])
def test_size_is_written_in_the_largest_whole_unit(text: str) -> None:
    assert size_text(size(text)) == text


@pytest.mark.parametrize(
    ("text", "value"), [("1000", 1000), ("512k", 512000), ("64Mi", 2**26), ("1Gi", 2**30), ("2GB", 2 * 10**9)]
)
def test_size_is_read(text: str, value: int) -> None:
    assert size(text) == value


@pytest.mark.parametrize("text", ["", "64 Mi", "-1", "1.5Gi", "1Ti", "Mi"])
def test_other_text_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="such as 512k"):
        size(text)
