"""Files of a report are read whatever a job made of them."""

import os
from pathlib import Path

import pytest

from executor.reports import files


@pytest.fixture
def place(tmp_path: Path) -> Path:
    made = tmp_path / "report"
    files.make(str(made), mode=0o666)
    return made


def test_files_are_made_once_and_keep_what_they_say(place: Path) -> None:
    assert files.read(str(place)) == {"outputs": b"", "summary": b"", "progress": b""}
    assert (place / "summary").stat().st_mode & 0o777 == 0o666
    (place / "outputs").write_text("a=1")
    files.make(str(place))
    assert files.read(str(place))["outputs"] == b"a=1"


def test_only_files_are_read(place: Path) -> None:
    for name in files.NAMES:
        (place / name).unlink()
    (place / "outputs").symlink_to("/etc/passwd")
    os.mkfifo(place / "summary")
    (place / "progress").mkdir()
    assert not any(files.read(str(place)).values())


def test_directory_that_was_replaced_by_a_link_is_not_followed(place: Path, tmp_path: Path) -> None:
    (place / "outputs").write_text("a=1")
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    assert not any(files.read(str(place)).values())
    assert not any(files.read(str(tmp_path / "nowhere")).values())


def test_of_gigabytes_little_is_read(place: Path) -> None:
    with (place / "summary").open("wb") as file:
        file.truncate(8 << 30)
    with (place / "progress").open("wb") as file:
        file.truncate(8 << 30)
        file.seek(0, os.SEEK_END)
        file.write(b"\n2/3\n")
    said = files.read(str(place))
    assert (len(said["summary"]), len(said["progress"])) == (files.MOST + 1, files.MOST_OF_PROGRESS)
    assert said["progress"].endswith(b"\n2/3\n")
