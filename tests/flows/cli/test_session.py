"""docs/cli.md, followed word by word: what it says is typed is typed, and what it shows is seen."""

import os
import re
import shlex
import subprocess
from pathlib import Path
from tempfile import TemporaryFile

from demo.watched import PATIENCE
from tests.flows.cli.beside import ERRAND, Served, environ, served
from tests.forkserver import SERVER

PAGE = (Path(__file__).parents[3] / "docs" / "cli.md").read_text()
SESSION = PAGE.partition("## A session")[2].partition("\n## ")[0]

PLAIN = re.compile(r"""errand [^|&;<>()$`\\*?'~]+""")
"""A command of which the shell only makes words."""


def steps() -> list[tuple[str, list[str]]]:
    """Each command with the lines that are shown below it."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"^```console\n(.*?)^```", SESSION, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
    return found


def typed(home: Path, command: str, before: int) -> tuple[int, str]:
    """What a shell shows of `command`; `before` is the exit code of the last one.

    A shell is asked where it has something to do; a plain command is forked, which spares loading Errand.
    """
    if PLAIN.fullmatch(command):
        return _forked(home, shlex.split(command)[1:])
    done = subprocess.run(
        ["bash", "-c", f"(exit {before}); {command}"],
        cwd=home,
        env=environ(home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return done.returncode, done.stdout


def _forked(home: Path, words: list[str]) -> tuple[int, str]:
    with TemporaryFile() as shown, open(os.devnull) as null:
        streams = (null.fileno(), shown.fileno(), shown.fileno())
        code = SERVER.fork([*ERRAND[1:], *words], home, environ(home), streams).wait(PATIENCE)
        shown.seek(0)
        return code, shown.read().decode()


def missing(shown: str, expected: list[str]) -> str | None:
    """The first expected line that does not come in its turn; `…` stands for anything."""
    lines = iter(re.sub(" +", " ", line).rstrip() for line in shown.splitlines())
    for wanted in expected:
        if wanted == "…":
            continue
        pattern = re.escape(re.sub(" +", " ", wanted)).replace("…", ".*")
        if not any(re.fullmatch(pattern, line) for line in lines):
            return wanted
    return None


def test_session_of_the_page_goes_as_it_says(tmp_path: Path) -> None:
    example = re.search(r"^```yaml\n(.*?)^```", SESSION, re.MULTILINE | re.DOTALL)
    assert example is not None
    (tmp_path / "app.yaml").write_text(example[1])
    commands = steps()
    beginning = [command for command, _ in commands].index("errand serve")
    code = 0
    for command, expected in commands[:beginning]:
        code, shown = typed(tmp_path, command, code)
        assert missing(shown, expected) is None, shown
    with served(tmp_path) as errand:
        _follow(errand, commands[beginning + 1 :])


def _follow(errand: Served, commands: list[tuple[str, list[str]]]) -> None:
    code = 0
    for command, expected in commands:
        code, shown = typed(errand.home, command, code)
        assert (missing(shown, expected), "Traceback" in shown) == (None, False), f"$ {command}\n{shown}"
