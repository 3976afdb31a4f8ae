"""Whether memory was the cause is said only where that is likely."""

import resource

import pytest

from executor.supervisor.memory import MemoryWatch, limited


@pytest.mark.parametrize(
    ("pieces", "seen"),
    [
        ((b"Traceback ...\nMemoryError\n",), True),
        ((b"terminate called: std::bad", b"_alloc\n"), True),
        ((b"sh: fork: Cannot allocate", b" ", b"memory"), True),
        ((b"all went well\n", b"but exit 1"), False),
    ],
)
def test_what_the_job_said_is_a_sign(pieces: tuple[bytes, ...], seen: bool) -> None:
    watch = MemoryWatch(1 << 40)
    for piece in pieces:
        watch.look(piece)
    reason, message = watch.reason()
    assert (reason == "OutOfMemory", bool(message)) == (seen, seen)


def test_without_a_limit_nothing_is_a_sign() -> None:
    watch = MemoryWatch(0)
    watch.look(b"MemoryError")
    assert watch.reason() == (None, None)


def test_nearly_all_of_the_limit_is_a_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    had = {resource.RUSAGE_SELF: 20_000, resource.RUSAGE_CHILDREN: 250_000}

    class Usage:
        def __init__(self, who: int) -> None:
            self.ru_maxrss = had[who]

    monkeypatch.setattr(resource, "getrusage", Usage)
    assert MemoryWatch(256 << 20).reason()[0] == "OutOfMemory"
    assert MemoryWatch(1 << 30).reason()[0] is None
    had[resource.RUSAGE_SELF] = 200_000  # what the child began with is no sign of what it took
    assert MemoryWatch(256 << 20).reason()[0] is None


def test_limit_of_errand_itself_is_not_exceeded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1 << 20, 8 << 20))
    assert limited([b"x"], 64 << 20)[4:] == [b"8192", b"x"]
