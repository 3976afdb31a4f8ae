"""What is known of images that were built."""

from pathlib import Path

import pytest

from executor.checkout.finished import FinishedImages, key

TREE, OTHER = "1" * 40, "2" * 40


def test_key_is_the_same_only_for_the_same() -> None:
    same = key(TREE, "inputs", ["b", "a"], "FROM x\nCOPY . /app\n")
    assert same is not None
    assert same == key(TREE, "inputs", ["a", "b"], "FROM x\n")  # the tree has the Dockerfile in it
    others = [
        key(OTHER, "inputs", ["a", "b"], ""),
        key(TREE, "", ["a", "b"], ""),
        key(TREE, "inputs", ["a"], ""),
    ]
    assert same not in others


@pytest.mark.parametrize(
    "line", ["ADD https://example.com/x /x", "  add . /app", "RUN true\nAdd\t--chown=1 x /x"]
)
def test_what_may_fetch_something_has_no_key(line: str) -> None:
    assert key(TREE, "inputs", [], f"FROM x\n{line}\n") is None


def test_images_are_found_again_and_the_newest_hundred_stay(tmp_path: Path) -> None:
    finished = FinishedImages(str(tmp_path / "finished.json"))
    assert finished.image("0") is None
    for number in range(101):
        finished.add(str(number), f"sha256:{number}")
        finished.add("1", "sha256:new")
    assert finished.image("1") == "sha256:new"
    assert finished.image("100") == "sha256:100"
    assert finished.image("0") is None
    assert [path.name for path in tmp_path.iterdir()] == ["finished.json"]


@pytest.mark.parametrize("content", ["", "[]", "{", '{"a": 1}'])
def test_file_that_says_nothing_is_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "finished.json"
    path.write_text(content)
    assert FinishedImages(str(path)).image("a") is None
