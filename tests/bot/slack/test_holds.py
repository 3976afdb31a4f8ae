"""A limit holds one method in one channel."""

import pytest

from bot.slack import holds
from bot.slack.holds import Holds
from tests.clocks import Clock, clock

__all__ = ["clock"]


def test_hold_is_of_one_method_in_one_channel_and_ends(clock: Clock) -> None:
    table = Holds(clock)
    table.add(("chat.update", "C1"), 20.0)
    assert 19.0 < table.left(("chat.update", "C1")) <= 20.0
    assert [table.left(each) for each in (("chat.update", "C2"), ("chat.postMessage", "C1"))] == [0.0, 0.0]
    clock.ahead = 21
    assert table.left(("chat.update", "C1")) == 0.0


def test_table_forgets_what_is_over_and_then_what_ends_first(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holds, "MOST", 2)
    table = Holds(clock)
    table.add(("m", "old"), 1.0)
    clock.ahead = 2
    for name, seconds in (("soon", 10.0), ("late", 100.0), ("new", 50.0)):
        table.add(("m", name), seconds)
    assert [name for name in ("old", "soon", "late", "new") if table.left(("m", name))] == ["late", "new"]
