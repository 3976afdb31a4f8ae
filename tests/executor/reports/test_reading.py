"""What is understood of what a job wrote, and what is not."""

import time

import pytest

from executor.logs.redaction import Redactor
from executor.reports.reading import headway, report
from executor.spec import Headway, Report


@pytest.mark.parametrize(
    ("said", "outputs"),
    [
        (b"a=1\nb=2=3\n\nc=\n", {"a": "1", "b": "2=3", "c": ""}),
        (b"a=1\r\na=2", {"a": "2"}),
        (b"a<<EOF\nx\ny=z\nEOF\nb=1\n", {"a": "x\ny=z", "b": "1"}),
        (b"a=<<EOF\n", {"a": "<<EOF"}),
        (b"a=\x1b[31mred\x1b[0m\x00\n", {"a": "red"}),
        (b"a=\xff\xfe\n", {"a": "\ufffd\ufffd"}),
        ("ä=1\nA_1=ü\n".encode(), {"A_1": "ü"}),
        (b"a<<EOF\nnever ends\nb=1\n", {"b": "1"}),
        (b"1a=1\na b=1\n=1\n-=1\n", {}),
        (b"a" * 101 + b"=1\n", {}),
    ],
)
def test_outputs(said: bytes, outputs: dict[str, str]) -> None:
    assert report({"outputs": said}, []).outputs == outputs


def test_blocks_without_an_end_take_no_longer_than_others() -> None:
    said = b"a<<b\n" * 13_000 + b"c=1\n"
    begin = time.thread_time()
    assert report({"outputs": said}, []).outputs == {"c": "1"}
    assert time.thread_time() - begin < 0.25


def test_first_line_that_does_not_count_is_named() -> None:
    found = report({"outputs": b"a=1\nwhat?\nand\n"}, [])
    assert found.remarks == ("ERRAND_OUTPUTS, line 2: left out, it is no NAME=value.",)


def test_what_is_too_long_ends_with_its_last_whole_line() -> None:
    found = report({"outputs": b"a=1\n" * 16383 + b"b=" + b"x" * 100}, [])
    assert found.outputs == {"a": "1"}
    assert found.remarks == ("ERRAND_OUTPUTS is longer than 64 KiB: what comes after that was left out.",)


def test_secret_that_the_bound_cuts_shows_no_part_of_it() -> None:
    secret = b"hunter2-hunter2-hunter2"
    said = b"x" * (65536 - 10) + secret
    summary = report({"summary": said}, [secret]).summary
    assert summary is not None
    assert "hunter" not in summary


def test_secret_over_two_lines_of_colours_is_masked() -> None:
    said = {"summary": b"hunt\x1b[31mer2-hunter2", "progress": b"1234567/9999999"}
    assert report(said, [b"hunter2-hunter2", b"1234567"]) == Report({}, "***")


@pytest.mark.parametrize(
    ("said", "now"),
    [
        (b"", None),
        (b"1/3", Headway(1, 3)),
        (b"1/3\n 2 / 3 \n", Headway(2, 3)),
        (b"1/3\nalmost done\n", Headway(1, 3)),
        (b"4/3", Headway(3, 3)),
        (b"1/0", None),
        (b"-1/3", None),
        (b"1/12345678901", None),
        ("1/3\n".encode("utf-16"), None),
        ("١/٣".encode(), None),
    ],
)
def test_progress(said: bytes, now: Headway | None) -> None:
    assert headway(said, Redactor([])) == now
