"""Files are placed whole, below their root, and through no link."""

import os
import stat
from pathlib import Path

import pytest

from executor.supervisor.files import place


def test_file_replaces_what_is_there_and_leaves_nothing_beside(tmp_path: Path) -> None:
    place(str(tmp_path), "/etc/shop.ini", b"one")
    (tmp_path / "etc" / f".errand-{os.getpid()}").write_text("left by a killed one")
    place(str(tmp_path), "etc/shop.ini", b"two")
    assert os.listdir(tmp_path / "etc") == ["shop.ini"]
    made = tmp_path / "etc" / "shop.ini"
    assert made.read_bytes() == b"two"
    assert stat.S_IMODE(made.stat().st_mode) == 0o444


def test_link_to_a_directory_is_not_followed(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / "etc").symlink_to(outside)
    (root / "a").mkdir()
    (root / "a" / "b").symlink_to("..")
    for path in ("etc/passwd", "a/b/c"):
        with pytest.raises(OSError, match=r"Not a directory|Too many levels"):
            place(str(root), path, b"x")
    assert list(outside.iterdir()) == []


def test_link_where_the_file_belongs_is_replaced_and_its_target_left_alone(tmp_path: Path) -> None:
    root, target = tmp_path / "root", tmp_path / "target"
    root.mkdir()
    target.write_text("mine")
    (root / "file").symlink_to(target)
    place(str(root), "file", b"new")
    assert (target.read_text(), (root / "file").read_text()) == ("mine", "new")
    assert not (root / "file").is_symlink()


def test_directory_where_the_file_belongs_is_told_and_nothing_stays(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(OSError, match="directory"):
        place(str(tmp_path), "file", b"x")
    assert os.listdir(tmp_path) == ["file"]


def test_file_in_the_way_of_a_directory_is_told(tmp_path: Path) -> None:
    (tmp_path / "etc").write_text("a file")
    with pytest.raises(NotADirectoryError):
        place(str(tmp_path), "etc/shop.ini", b"x")
