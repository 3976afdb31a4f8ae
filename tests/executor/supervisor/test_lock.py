"""Locks of several holders, and of one."""

import os
import threading
from pathlib import Path

from executor.supervisor import lock


def test_many_hold_it_together_at_once_though_nobody_made_it_before(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    first = lock.together(path)
    second = lock.together(path)  # at once: who came first still holds it
    assert lock.alone(path, wait=False) is None
    os.close(first)
    os.close(second)
    held = lock.alone(path, wait=False)
    assert held is not None
    got: list[int] = []
    waiting = threading.Thread(target=lambda: got.append(lock.together(path)))
    waiting.start()
    os.close(held)
    waiting.join()
    os.close(got[0])
