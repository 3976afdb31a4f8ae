"""Tables, documents, completion and who gets in, beside a served Errand."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from demo.watched import PATIENCE
from tests.flows.cli.beside import ERRAND, ROOT, Served, Terminal, environ


def test_tables_are_plain_in_a_pipe_and_wrapped_on_a_narrow_terminal(shared: Served) -> None:
    listed = shared.run("jobs").stdout
    assert "hello      Say hello" in listed
    assert not any(line.endswith(" ") for line in listed.splitlines())
    assert "\x1b" not in listed
    terminal = Terminal(shared, "jobs", columns=30)
    assert terminal.end() == 0
    assert "hello" in terminal.text
    assert max(map(len, re.sub(r"\x1b\[[0-9;]*m", "", terminal.text).splitlines())) <= 30


@pytest.mark.parametrize("more", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_nobody_who_wants_no_colours_gets_them(shared: Served, more: dict[str, str]) -> None:
    terminal = Terminal(shared, "jobs", more=more)
    assert terminal.end() == 0
    assert "[3" not in terminal.text


def test_documents_are_those_of_the_api(shared: Served) -> None:
    names = [json.loads(line)["name"] for line in shared.run("jobs", "--json").stdout.splitlines()]
    assert names == sorted(names)
    assert "hello" in names


def test_whoever_reads_no_further_is_no_error(shared: Served) -> None:
    done = shared.run("jobs", "--json")
    assert done.returncode == 0
    assert "Traceback" not in done.stderr


def test_output_that_cannot_be_written_is_told(shared: Served) -> None:
    shared.run("run", "hello", "--wait")
    for words in ("jobs", "jobs --json", "status 1", "logs 1", "why hello", "--help"):
        done = typed(shared, f"{words} >/dev/full")
        assert (done.returncode, done.stderr) == (1, "stdout cannot be used: No space left on device.\n")


def test_closed_streams_change_neither_the_end_nor_what_the_others_say(shared: Served) -> None:
    for closed in (">&-", "2>&-", "<&-", "<&- >&- 2>&-", ">&- 2>/dev/full"):
        done = typed(shared, f"run exit CODE=7 --wait {closed}")
        assert (done.returncode, done.stdout, "Traceback" in done.stderr) == (7, "", False), closed
        refused = typed(shared, f"run helo {closed}")
        assert (refused.returncode, refused.stdout) == (1, ""), closed


def typed(errand: Served, words: str) -> subprocess.CompletedProcess[str]:
    """`errand WORDS` as a shell carries it out, with its redirections."""
    return subprocess.run(
        ["bash", "-c", f"{shlex.join(ERRAND)} {words}"],
        cwd=errand.home,
        env=environ(errand.home, errand.more),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_name_that_was_probably_meant_is_told_by_every_command(shared: Served) -> None:
    for words in (["status"], ["logs"], ["rerun"], ["runs"], ["why"], ["plan"], ["pause"], ["resume"]):
        done = shared.run(*words, "helo")
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == "There is no job helo. Did you mean hello?\n", words
    done = shared.run("hook", "create", "helo", "--name", "ci")
    assert (done.returncode, done.stderr) == (1, "There is no job helo. Did you mean hello?\n")


def test_mistake_in_a_parameter_is_told_once_and_without_markup(shared: Served) -> None:
    told = shared.run("run", "hello", "NAEM=Ada").stderr
    assert told.count("NAEM") == 1
    assert "`" not in told


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_completion_knows_jobs(shared: Served, shell: str) -> None:
    asked = {
        "bash": {"COMP_WORDS": "errand run he", "COMP_CWORD": "2"},
        "zsh": {"_TYPER_COMPLETE_ARGS": "errand run he"},
        "fish": {"_TYPER_COMPLETE_ARGS": "errand run he", "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }[shell]
    done = shared.run(**{"_ERRAND.PY_COMPLETE": f"complete_{shell}", **asked})
    assert "hello" in done.stdout
    assert "nightly" not in done.stdout


def test_completion_without_an_errand_is_silent_and_quick(errand: Served) -> None:
    errand.end()
    asked = {"COMP_WORDS": "errand run he", "COMP_CWORD": "2"}
    done = errand.run(**{"_ERRAND.PY_COMPLETE": "complete_bash", **asked})
    assert (done.stdout.strip(), done.stderr) == ("", "")


HELP = """
import runpy, sys
sys.argv = ["errand.py", "--help"]
try:
    runpy.run_path("errand.py", run_name="__main__")
except SystemExit:
    loaded = {name.partition(".")[0] for name in sys.modules}
    costly = {"githubkit", "httpx", "jinja2", "kubernetes", "pydantic", "sqlalchemy", "starlette"}
    print(sorted(loaded & costly), file=sys.stderr)
"""


def test_help_loads_nothing_that_takes_long(shared: Served) -> None:
    assert "runs" in shared.run("--help").stdout
    done = subprocess.run([sys.executable, "-c", HELP], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


def test_only_the_same_user_finds_the_token(errand: Served) -> None:
    door = errand.home / "errand.db.door"
    assert door.stat().st_mode & 0o077 == 0
    told = json.loads(door.read_text())
    door.chmod(0o644)
    assert "No Errand serves from this directory" in errand.run("jobs").stderr
    door.chmod(0o600)
    assert told["token"] not in (errand.home / "serve.log").read_text()
    assert told["token"].encode() not in (errand.home / "errand.db").read_bytes()


def test_token_ends_with_the_service(errand: Served) -> None:
    old = json.loads((errand.home / "errand.db.door").read_text())["token"]
    errand.end()
    assert not (errand.home / "errand.db.door").exists()
    errand.start()
    new = json.loads((errand.home / "errand.db.door").read_text())
    refused = errand.run("jobs", ERRAND_URL=new["address"], ERRAND_TOKEN=old)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "does not know this token" in refused.stderr


def test_tokens_are_made_over_the_api_and_may_do_what_they_say(errand: Served, tmp_path: Path) -> None:
    admin = errand.run("token", "create", "admin", "--admin").stdout.strip()
    address = json.loads((errand.home / "errand.db.door").read_text())["address"]
    elsewhere = {"ERRAND_URL": address, "ERRAND_TOKEN": admin}
    made = errand.run("token", "create", "ci", "--scope", "run:hello", "--expires", "90d", **elsewhere)
    assert made.returncode == 0, made.stderr
    listed = errand.run("tokens", "--json", **elsewhere).stdout.splitlines()
    assert {token["name"]: token["scopes"] for token in map(json.loads, listed)} == {
        "admin": ["admin"],
        "ci": ["run:hello"],
    }
    limited = {"ERRAND_URL": address, "ERRAND_TOKEN": made.stdout.strip()}
    assert errand.run("run", "hello", "--wait", **limited).stdout == "Hello, world!\n"
    assert errand.run("run", "exit", **limited).returncode == 1
    assert errand.run("token", "create", "more", **limited).returncode == 1
    assert errand.run("token", "delete", "ci", **elsewhere).returncode == 0
    assert "does not know this token" in errand.run("jobs", **limited).stderr


@pytest.mark.parametrize("more", [[], ["--config", "app.yaml"]])
def test_no_token_is_called_as_the_local_one_is(shared: Served, more: list[str]) -> None:
    done = shared.run("token", "create", "local", *more)
    assert (done.returncode, done.stdout) == (1, "")
    assert "no token may be" in done.stderr
    door = json.loads((shared.home / "errand.db.door").read_text())
    over_the_api = {"ERRAND_URL": door["address"], "ERRAND_TOKEN": door["token"]}
    refused = shared.run("token", "create", "Local", **over_the_api)
    assert (refused.returncode, "no token may be" in refused.stderr) == (1, True)


def test_hooks_are_made_listed_and_ended(errand: Served) -> None:
    made = errand.run("hook", "create", "hello", "--name", "deploys")
    assert made.returncode == 0, made.stderr
    assert "shown only now" in made.stderr
    assert made.stderr.endswith("\nhttp://127.0.0.1:8000/hooks/hello\n")  # as `url` says, for those elsewhere
    assert len(made.stdout.strip()) > 30
    listed = errand.run("hooks").stdout
    assert "deploys" in listed
    assert "never" in listed
    assert made.stdout.strip() not in listed
    assert errand.run("hook", "delete", "hello", "deploys").returncode == 0
    assert errand.run("hook", "delete", "hello", "deploys").returncode == 1


def test_schedule_is_held_back_and_let_go(errand: Served) -> None:
    assert "paused" in errand.run("pause", "nightly", "for", "2h").stdout
    assert errand.run("resume", "nightly").returncode == 0
    again = errand.run("resume", "nightly")
    assert (again.returncode, "not paused" in again.stderr) == (1, True)


def test_repositories_are_told_by_their_numbers(shared: Served) -> None:
    listed = shared.run("repositories", "list")
    assert (listed.returncode, listed.stdout, listed.stderr) == (0, "", "No repository was seen yet.\n")
    done = shared.run("repositories", "forget", "acme/shop")
    assert (done.returncode, done.stderr) == (1, "No number is pinned to this name.\n")
