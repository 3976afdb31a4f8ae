"""Every command explains itself: in a group, in words that a person knows, with an example that is right."""

import re
import shlex
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from terminal import manual
from terminal.app import cli
from terminal.failures import USAGE, Usage


def _walk(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, each in command.commands.items():
        yield " ".join([*path, name]), each
        if isinstance(each, TyperGroup):
            yield from _walk(each, (*path, name))


ROOT: Any = get_command(cli)
COMMANDS = dict(_walk(ROOT))
OF_PYTHON = re.compile(r"<|\b(INTEGER|FLOAT|TEXT|PATH|BOOLEAN|RANGE|str|int|float)\b|<=x")
SELVES = {
    "ADDRESS", "COMMAND", "IMAGE", "N|NAME", "NAMESPACE/NAME", "QUANTITY", "REF", "REFERENCE", "RESULT",
    "SCOPE", "STATE", "TAG", "TARGET", '["REASON"]', '["REASON"] [for DURATION]', "text|json|github",
    '["WHY"] [for DURATION | until TIME]', '["REASON"] [for DURATION | until TIME]', "LOGIN",
    "[REPOSITORY=]DIRECTORY", "from TIME [until TIME]",
}  # fmt: skip
"""Words for values that stand with one command, which says what they are."""


def _help(*words: str) -> str:
    done = CliRunner().invoke(cli, [*words])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("path", COMMANDS)
def test_command_explains_itself(path: str) -> None:
    shown = _help(*path.split(), "--help")
    assert _help(*path.split(), "-h") == _help("help", *path.split()) == shown
    assert not OF_PYTHON.search(shown)
    assert f"Example:\n  {manual.EXAMPLES[path]}\n" in shown
    for each in COMMANDS[path].params:
        assert each.help, f"{each.name} is not explained"
        if each.param_type_name == "argument" or not each.is_flag:
            assert each.metavar in {*manual.VALUES, *SELVES}, each.name


@pytest.mark.parametrize(("path", "example"), manual.EXAMPLES.items())
def test_example_is_what_its_command_takes(path: str, example: str) -> None:
    words = shlex.split(example.partition(" > ")[0])
    assert words[0] == "errand"
    assert words[1 : 1 + len(path.split())] == path.split()
    place, context, rest = ROOT, None, words
    while True:
        context = place.make_context(rest[0], rest[1:], parent=context)
        rest = [*context._protected_args, *context.args]
        if not isinstance(place, TyperGroup):
            break
        place = place.commands[rest[0]]
    assert rest == []


def test_every_command_is_in_one_group() -> None:
    listed = [name for section in manual.SECTIONS for name in section.examples]
    assert sorted(listed) == sorted(COMMANDS)
    shown = _help("--help")
    sections = [shown.index(f"\n{section.title}:\n") for section in manual.SECTIONS]
    assert sections == sorted(sections)
    assert "..." not in shown.replace("[ARGS]...", "")
    for name in ROOT.commands:
        assert re.search(rf"^  {name} ", shown, re.MULTILINE), name


def test_version_is_told_in_every_way() -> None:
    assert _help("--version") == _help("version") == f"{version('errand')}\n"


def test_help_of_what_does_not_exist_says_what_was_probably_meant() -> None:
    for words, told in (
        (["hlep"], "There is no command errand hlep. Did you mean help?"),
        (["hook", "creat"], "There is no command errand hook creat. Did you mean create?"),
        (["run", "migrate"], "There is no command errand run migrate."),
    ):
        error = CliRunner().invoke(cli, ["help", *words], prog_name="errand").exception
        assert isinstance(error, Usage)
        assert (str(error), error.code) == (told, USAGE)
