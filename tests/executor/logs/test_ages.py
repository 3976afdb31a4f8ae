"""The oldest logs are known without looking at the directory each time."""

import os
from pathlib import Path

import pytest

from executor.logs import ages
from executor.logs.ages import Ages


def log(directory: Path, key: str, ended: float | None) -> None:
    (directory / key).mkdir()
    if ended is not None:
        end = directory / key / "end"
        end.touch()
        os.utime(end, (ended, ended))


def test_oldest_come_first_and_what_goes_on_never(tmp_path: Path) -> None:
    for key, ended in (("b", 2.0), ("open", None), ("a", 1.0), ("c", 3.0)):
        log(tmp_path, key, ended)
    known = Ages(tmp_path)
    assert known.ended(3.0) == ["a", "b"]
    assert known.oldest() == 3.0
    assert known.ended(3.0) == []


def test_directory_is_looked_at_once_for_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[Path] = []
    real = os.scandir

    def scandir(path: Path) -> object:
        looks.append(path)
        return real(path)

    monkeypatch.setattr("os.scandir", scandir)
    monkeypatch.setattr(ages, "MOST", 2)
    for number in range(1, 6):
        log(tmp_path, str(number), float(number))
    known = Ages(tmp_path)
    assert known.oldest() == 1.0
    for moment in (1.5, 2.0, 2.2):
        for key in known.ended(moment):
            os.remove(tmp_path / key / "end")
    assert len(looks) == 1
    for key in known.ended(9.0):
        os.remove(tmp_path / key / "end")
    assert (known.ended(9.0), len(looks)) == (["5"], 3)


def test_log_that_went_on_after_all_is_left(tmp_path: Path) -> None:
    log(tmp_path, "a", 1.0)
    known = Ages(tmp_path)
    assert known.oldest() == 1.0
    os.utime(tmp_path / "a" / "end", (5.0, 5.0))
    assert known.ended(3.0) == []
    assert known.oldest() == 5.0


def test_no_directory_has_no_logs(tmp_path: Path) -> None:
    assert Ages(tmp_path / "none").oldest() is None
