"""The `.env` beside app.yaml: what it says, what it may not, and who else may read it."""

import os
from pathlib import Path

import pytest

from bot.config import load
from bot.config.envfile import beside
from bot.config.findings import Invalid
from bot.config.remarks import inspected


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """An app.yaml that takes a token from the environment."""
    file = tmp_path / "app.yaml"
    file.write_text('github: {token: "${TOKEN}"}\n')
    return file


def _write(config: Path, content: str | bytes, mode: int = 0o600) -> Path:
    file = config.with_name(".env")
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    file.chmod(mode)
    return file


def _mistakes(config: Path) -> list[str]:
    return [str(each).removeprefix(f"{config.parent}/") for each in beside(config).mistakes]


def test_file_gives_what_the_environment_does_not_have(config: Path) -> None:
    _write(config, "TOKEN=from-file\n")
    for environ, token in (({}, "from-file"), ({"TOKEN": "real"}, "real")):
        github = load(config, environ).github
        assert github is not None
        assert github.token is not None
        assert github.token.reveal() == token


def test_variable_that_is_empty_in_the_environment_is_not_filled(config: Path) -> None:
    _write(config, "TOKEN=from-file\n")
    with pytest.raises(Invalid, match="this secret is empty"):
        load(config, {"TOKEN": ""})


def test_values_are_as_they_are_written(config: Path) -> None:
    _write(
        config,
        "\ufeff# a comment\r\n\r\nexport A=plain # not\nB='it is $HOME \\n'\nC=\"two\\nlines\"\nD=a=b#c\nE=\n"
        "F='one\ntwo'\n",
    )
    assert beside(config).mistakes == ()
    assert beside(config).values == {
        "A": "plain",
        "B": "it is $HOME \\n",
        "C": "two\nlines",
        "D": "a=b#c",
        "E": "",
        "F": "one\ntwo",
    }


def test_variables_are_for_the_file_alone(config: Path) -> None:
    _write(config, "TOKEN=from-file\n")
    load(config, os.environ)
    assert "TOKEN" not in os.environ


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("A=1\n\n\nB C\n", ".env:4:1: expected NAME=VALUE; a name has letters, digits and _"),
        ("# x\nA\n", ".env:2:1: expected NAME=VALUE; a name has letters, digits and _"),
        ("A-B=1\n", ".env:1:1: expected NAME=VALUE; a name has letters, digits and _"),
        ("A=1\n  B='secret\n", ".env:2:5: the quote that opens here is not closed"),
        ('A="secret" more\n', ".env:1:1: expected NAME=VALUE; a name has letters, digits and _"),
        ("A=1\nB=2\nA=3\n", ".env:3:1: A is given twice; first in line 1"),
        ("A=1\0\n", ".env:1:1: A holds a NUL, which no variable can"),
        (b"A=1\nB=\xff\n", ".env:2:1: the file is not UTF-8 text"),
        ("A=1" * 400_000, ".env: cannot be read: it is larger than 1024 KiB"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_bad_line_is_a_mistake_in_its_place_and_shows_no_value(
    config: Path, content: str | bytes, told: str
) -> None:
    _write(config, content)
    assert _mistakes(config) == [told]
    with pytest.raises(Invalid) as refused:
        load(config, {"TOKEN": "x"})
    assert str(refused.value) == f"{config.parent}/{told}"


def test_mistakes_of_both_files_are_told_together(config: Path) -> None:
    config.write_text("colour: red\n")
    _write(config, "A B\n")
    with pytest.raises(Invalid) as refused:
        load(config, {})
    assert [Path(each.file).name for each in refused.value.findings] == [".env", "app.yaml"]


def test_file_that_cannot_be_read_is_a_mistake_and_holds_nobody_up(config: Path) -> None:
    os.mkfifo(config.with_name(".env"))
    assert _mistakes(config) == [".env: cannot be read: it is no regular file"]
    config.with_name(".env").unlink()
    config.with_name(".env").symlink_to(".env")
    assert "cannot be read: " in _mistakes(config)[0]


def test_directory_of_that_name_is_not_the_file(config: Path) -> None:
    config.with_name(".env").mkdir()
    _, remarks = inspected(config, {"TOKEN": "github_pat_0123456789"})
    assert [remark.message for remark in remarks] == ["not read: it is a directory"]


@pytest.mark.parametrize(
    ("mode", "told"),
    [(0o600, ""), (0o640, ""), (0o644, "others may read"), (0o660, "others may change"), (0o602, "change")],
)
def test_file_that_others_may_read_is_remarked_on(config: Path, mode: int, told: str) -> None:
    _write(config, "TOKEN=github_pat_0123456789\n", mode)
    _, remarks = inspected(config, {})
    assert len(remarks) == bool(told)
    assert told in "".join(remark.message for remark in remarks)
