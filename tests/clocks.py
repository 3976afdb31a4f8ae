"""A clock that goes on by itself, and that a test may put forward."""

import time

import pytest


class Clock:
    """The real time, and more of it when told so."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()
