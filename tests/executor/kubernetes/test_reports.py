"""The log of the container that tells what a job reports, cut and lost in every way."""

import pytest

from executor.kubernetes.controller.reports import Frames

LOG = (
    b"errand begun 0\n\n"
    b"errand progress 4\n1/3\n\n"
    b"errand outputs 26\na=1\nerrand summary 3\nb=2\nc\n"
    b"errand summary 9\n# Done\n\nx\n"
    b"errand progress 4\n3/3\n\n"
    b"errand ended 0\n\n"
)
SAID = {
    "begun": b"",
    "progress": b"3/3\n",
    "outputs": b"a=1\nerrand summary 3\nb=2\nc",
    "summary": b"# Done\n\nx",
    "ended": b"",
}


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_pieces_of_any_size_are_understood(size: int) -> None:
    frames = Frames()
    for at in range(0, len(LOG), size):
        assert not frames.has_ended or LOG[at:] == b"\n"
        frames.feed(LOG[at : at + size])
    assert (frames.contents, frames.has_ended) == (SAID, True)


def test_log_whose_beginning_was_lost_is_understood_from_the_next_part_on() -> None:
    frames = Frames()
    frames.feed(b"x" * 100_000 + b"\nb\n" + LOG[LOG.index(b"errand summary 9") :])
    assert frames.contents == {name: SAID[name] for name in ("summary", "progress", "ended")}


def test_part_that_is_larger_than_counts_is_not_waited_for() -> None:
    frames = Frames()
    frames.feed(b"errand summary 999999\n" + b"x" * 70_000 + b"\nerrand ended 0\n")
    assert len(frames.contents["summary"]) == 65_537
    assert frames.has_ended
