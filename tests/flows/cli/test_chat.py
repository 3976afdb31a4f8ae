"""`errand chat`: the grammar in a terminal, with jobs for real and nothing kept."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.watched import PATIENCE
from tests.flows.cli.beside import ERRAND, Served, Terminal, environ, until
from tests.forkserver import SERVER

HERE = Path(__file__).parent
BUILT = """\
github: {app_id: "${NOBODY_SET_THIS}", private_key: "${NOR_THIS}"}
slack: {bot_token: "${NOR_THAT}"}
images: {shop: {build: {repository: acme/shop, setup: cp greeting made}}}
defaults: {image: shop, notify: {slack: "#ops"}}
jobs:
  show: {command: cat made}
  nightly: {command: "true", schedule: {cron: "* * * * *"}}
"""


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Served]:
    """A directory in which nothing is served."""
    (tmp_path / "app.yaml").write_text((HERE / "app.yaml").read_text())
    made = Served(tmp_path)
    yield made
    made.close()


def checkout(home: Path) -> None:
    """A repository with one commit, and a change that is not committed."""
    env = environ(home) | {
        f"GIT_{who}_{what}": "octocat@users.noreply.github.com"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    (home / "greeting").write_text("from the commit\n")
    for words in (["init", "--quiet"], ["add", "greeting"], ["commit", "--quiet", "--message", "One"]):
        subprocess.run(["git", *words], cwd=home, env=env, check=True)
    (home / "greeting").write_text("not committed\n")


def test_lines_of_a_pipe_are_carried_out_and_waited_for(alone: Served) -> None:
    done = alone.run("chat", typed="/job run hello NAME=Ada\nrun exit CODE=5\nrun helo\n\nhelp run\n")
    assert done.returncode == 0, done.stderr
    for words in (
        "hello #1 is on its way.",
        "\n#1 | Hello, Ada!\n",
        "✅ hello #1 succeeded",
        "exit #2 failed with exit code 5",
        "There is no job helo. Did you mean hello?",
        "/job run NAME [at T | in D] [KEY=VALUE ...]",
    ):
        assert words in done.stdout
    assert done.stderr == ""


def test_nothing_is_left(alone: Served, tmp_path: Path) -> None:
    before = {path.name for path in tmp_path.iterdir()}
    assert alone.run("chat", typed="run hello\n", TMPDIR=str(tmp_path)).returncode == 0
    assert {path.name for path in tmp_path.iterdir()} == before


STANDING = """\
jobs:
  stand:
    command: |
      trap 'echo > "$PLACE/stopped"; exit 1' TERM
      echo > "$PLACE/begun"
      while :; do sleep 0.05; done
    parameters: {PLACE: {type: string}}
    grace: 30s
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_signal_stops_what_goes_on_and_leaves_nothing(
    alone: Served, tmp_path: Path, number: signal.Signals
) -> None:
    (tmp_path / "app.yaml").write_text(STANDING)
    place = tmp_path / "place"
    place.mkdir()
    reading, writing = os.pipe()
    with open(reading) as stdin, open(writing, "w") as lines, open(os.devnull, "w") as null:
        streams = (stdin.fileno(), null.fileno(), 2)
        chat = SERVER.fork(
            [*ERRAND[1:], "chat"], tmp_path, environ(tmp_path, {"TMPDIR": str(place)}), streams
        )
        lines.write(f"run stand PLACE={tmp_path}\n")
        lines.flush()
        until((tmp_path / "begun").exists)
        chat.send_signal(number)
        assert chat.wait(PATIENCE) == 128 + number
    assert (tmp_path / "stopped").exists()
    assert list(place.iterdir()) == []


def test_closed_terminal_stops_what_goes_on_and_leaves_nothing(alone: Served, tmp_path: Path) -> None:
    (tmp_path / "app.yaml").write_text(STANDING)
    place = tmp_path / "place"
    place.mkdir()
    terminal = Terminal(alone, "chat", more={"TMPDIR": str(place)})
    terminal.see("errand> ")
    terminal.type(f"run stand PLACE={tmp_path}\n")
    until((tmp_path / "begun").exists)
    terminal.close()
    assert terminal.process.wait(timeout=PATIENCE) != 0
    assert (tmp_path / "stopped").exists()
    assert list(place.iterdir()) == []


def test_images_are_built_from_the_checkout_without_any_secret(alone: Served, tmp_path: Path) -> None:
    checkout(tmp_path)
    (tmp_path / "app.yaml").write_text(BUILT)
    done = alone.run("chat", typed="run show\nlogs 1\nstatus\n")
    assert "✅ show #1 succeeded" in done.stdout, done.stdout + done.stderr
    log = alone.run("chat", typed="run show\n").stdout
    assert "shop build #1 succeeded" in log


def test_schedules_start_nothing_unasked(alone: Served, tmp_path: Path) -> None:
    checkout(tmp_path)
    (tmp_path / "app.yaml").write_text(BUILT)
    done = alone.run("chat", typed="why nightly\nresume nightly\n")
    assert "this chat" in done.stdout


def test_image_without_a_checkout_is_told(alone: Served, tmp_path: Path) -> None:
    (tmp_path / "app.yaml").write_text(BUILT)
    done = alone.run("chat", typed="run show\n", GIT_CEILING_DIRECTORIES=str(tmp_path.parent))
    assert "There is no checkout of acme/shop here" in done.stdout
    refused = alone.run("chat", "--checkout", "/nowhere")
    assert (refused.returncode, "no git checkout at /nowhere" in refused.stderr) == (2, True)


def test_mistakes_of_the_file_are_told(alone: Served, tmp_path: Path) -> None:
    (tmp_path / "app.yaml").write_text("jobs: {a: {comand: x}}\n")
    done = alone.run("chat")
    assert (done.returncode, "comand" in done.stderr) == (2, True)


def test_person_has_a_prompt_a_history_and_an_end(alone: Served, tmp_path: Path) -> None:
    terminal = Terminal(alone, "chat")
    terminal.see("errand> ")
    terminal.type("run wait\n")
    terminal.see("#1 | begun")
    terminal.type("\x03")
    terminal.see("`cancel 1` stops it.\nerrand> ")
    terminal.type("\x1b[A\x1b[D\n")  # the line before, once more
    terminal.see("#2 | begun")
    terminal.type("run hello NAME=Bo\x1b[D")  # the cursor stands before the last letter
    terminal.type("\x15\x0brun count\n")
    terminal.see("#3 | line 2\n")
    terminal.type("status #3\x1b[D")
    terminal.see("errand> status #3\r\x1b[16C")
    terminal.type("\x03")
    terminal.see("#2, #3 will print unseen: `logs 3` tells the end, `cancel 3` stops it.")
    terminal.type("cancel #3\n")
    terminal.see("#3 was cancelled")
    assert "#3 | line 200\n" not in terminal.text
    terminal.type("\x04")
    terminal.see("Stopping what goes on.")
    assert terminal.end() == 0
    assert terminal.text.count("was cancelled") + terminal.text.count("cancelled by") >= 2, terminal.text
    history = tmp_path / ".local" / "state" / "errand" / "chat_history"
    assert "run wait" in history.read_text()
    assert history.stat().st_mode & 0o077 == 0
