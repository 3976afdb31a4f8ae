"""Where coverage is not measured: tests that walk lines again that others of the suite walk as well.

Measuring costs much: before Python 3.12 a tracer slows down all that runs,
libraries included, and a program that is started takes ten times as long to begin. So it is off in journeys
but those of the command line, on the second database, and while Hypothesis repeats itself. What is measured
is a lower bound, and that one may not fall below 90 %.
"""

import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

JOURNEYS = "tests/flows/"
COMMAND_LINE = "tests/flows/cli/"
STAND_INS = "tests/kubernetes/"


def is_measured(item: pytest.Item) -> bool:
    """Whether the lines that this test walks count."""
    if item.nodeid.startswith((JOURNEYS, STAND_INS)) and not item.nodeid.startswith(COMMAND_LINE):
        return False
    callspec = getattr(item, "callspec", None)
    second = callspec is not None and "postgresql" in callspec.params.values()
    return not second and item.get_closest_marker("hypothesis") is None


def without_coverage(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment in which a program of Python that is started is not measured."""
    return {name: text for name, text in environ.items() if not name.startswith("COVERAGE_PROCESS")}


@contextmanager
def unmeasured() -> Iterator[None]:
    """No tracer: here, in no thread that begins now and in no process that is started."""
    own, threads = sys.gettrace(), threading.gettrace()
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ.keys() - without_coverage(os.environ).keys():
            patch.delenv(name)
        sys.settrace(None)
        threading.settrace(None)
        try:
            yield
        finally:
            sys.settrace(own)
            threading.settrace(threads)
