"""`errand run` and what follows a run: exit codes, time limits, interrupts, restarts."""

import json
import re
import signal
import subprocess
from pathlib import Path

import pytest

from demo.watched import PATIENCE
from tests.flows.cli.beside import ERRAND, Served, Terminal, environ, until


def numbered(pattern: str, terminal: Terminal) -> str:
    """The number of the run that the terminal has shown so."""
    found = re.search(pattern, terminal.text)
    assert found is not None, terminal.text
    return found[1]


def test_log_goes_to_stdout_and_everything_else_to_stderr(shared: Served) -> None:
    done = shared.run("run", "hello", "NAME=Ada", "--wait")
    assert (done.returncode, done.stdout) == (0, "Hello, Ada!\n")
    assert re.search(r"✓ hello #\d+ succeeded in", done.stderr)


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        (["exit", "CODE=3"], [3]),
        (["exit", "CODE=125"], [125]),
        (["signal"], [137]),
        (["late"], [143, 137]),  # without a grace either signal may be the first to end it
    ],
)
def test_exit_code_is_that_of_the_job(shared: Served, words: list[str], codes: list[int]) -> None:
    done = shared.run("run", *words, "--wait")
    assert done.returncode in codes, done.stderr


def test_words_after_two_dashes_are_for_the_command(shared: Served) -> None:
    done = shared.run("run", "arguments", "--wait", "--", "--wait", "a b", "K=V", "--")
    assert (done.returncode, done.stdout) == (0, "<--wait><a b><K=V><-->"), done.stderr


def test_log_in_a_pipe_is_byte_for_byte(shared: Served) -> None:
    done = shared.run("run", "bytes", "--wait")
    assert done.stdout.encode(errors="surrogateescape") == b"a\xff\x1b]0;t\x07\x1b[31mred\x1b[0m\n"


@pytest.mark.parametrize(("more", "red"), [({}, "\x1b[31mred\x1b[0m"), ({"NO_COLOR": "1"}, "red")])
def test_log_on_a_terminal_has_its_colours_and_nothing_else(
    shared: Served, more: dict[str, str], red: str
) -> None:
    terminal = Terminal(shared, "run", "bytes", "--wait", more=more)
    assert terminal.end() == 0
    assert f"a�{red}\n" in terminal.text
    assert "\x1b]0;t" not in terminal.text


def test_every_attempt_is_shown(shared: Served) -> None:
    done = shared.run("run", "retried", "--wait")
    assert (done.returncode, done.stdout) == (4, "try\ntry\n")


def test_documents_of_a_stream_stand_one_a_line(errand: Served) -> None:
    done = errand.run("run", "exit", "CODE=7", "--wait", "--json")
    first, *_, last = map(json.loads, done.stdout.splitlines())
    assert (first["number"], first["result"]) == (1, None)
    assert (last["number"], last["exit_code"], done.returncode) == (1, 7, 7)


def test_time_that_is_up_ends_the_waiting_and_not_the_run(errand: Served, tmp_path: Path) -> None:
    done = errand.run("run", "wait", f"GATE={tmp_path}/gate", "--wait", "--timeout", "2s")
    assert done.returncode == 124
    assert "The time is up; #1 goes on." in done.stderr
    (tmp_path / "gate").touch()
    assert errand.run("logs", "-f", "#1").stdout == "begun\ndone\n"


def test_interrupt_asks_and_cancels(errand: Served) -> None:
    terminal = Terminal(errand, "run", "wait", "--wait")
    terminal.see("begun")
    terminal.type("\x03")
    terminal.see("Cancel run #1? [y/N]")
    terminal.type("y\n")
    assert terminal.end() == 130
    assert "stopping" in terminal.text
    assert json.loads(errand.run("status", "1", "--json").stdout)["result"] == "cancelled"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signal_leaves_the_terminal_as_it_was_and_the_run_alone(
    shared: Served, number: signal.Signals
) -> None:
    terminal = Terminal(shared, "run", "silent", "--wait")
    terminal.see("\x1b[?25l")  # the cursor is hidden while the line of progress moves
    terminal.see("running")
    terminal.process.send_signal(number)
    terminal.see(" goes on.")
    assert terminal.end() == 128 + number
    assert "\x1b[?25h" in terminal.text
    run = numbered(r"#(\d+) goes on\.", terminal)
    assert json.loads(shared.run("status", run, "--json").stdout)["state"] == "running"
    shared.run("cancel", run)
    until(lambda: json.loads(shared.run("status", run, "--json").stdout)["state"] == "finished")


def test_waiting_survives_a_closed_terminal_under_nohup(errand: Served, tmp_path: Path) -> None:
    with subprocess.Popen(
        ["nohup", *ERRAND, "run", "wait", f"GATE={tmp_path}/gate", "--wait"],
        cwd=errand.home,
        env=environ(errand.home, errand.more),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGHUP)
        (tmp_path / "gate").touch()
        assert process.communicate(timeout=PATIENCE)[0] == "done\n"
        assert process.returncode == 0


def test_log_without_an_end_of_line_is_not_glued_to_what_follows(shared: Served) -> None:
    terminal = Terminal(shared, "run", "arguments", "--wait", "--", "a")
    assert terminal.end() == 0
    assert re.search(r"<a>\n✓ arguments #\d+ succeeded", terminal.text)


def test_no_line_is_lost_or_doubled_when_errand_is_killed_and_started_anew(errand: Served) -> None:
    with subprocess.Popen(
        [*ERRAND, "run", "count", "--wait"],
        cwd=errand.home,
        env=environ(errand.home, errand.more),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        first = [process.stdout.readline() for _ in range(20)]
        errand.end(signal.SIGKILL)
        (errand.home / "errand.db.door").unlink()  # of the killed one, so that the next is waited for
        errand.start()
        rest = process.stdout.readlines()  # `communicate` would pass over what it read ahead
        assert [*first, *rest] == [f"line {number}\n" for number in range(1, 201)]
        assert process.wait(timeout=PATIENCE) == 7


@pytest.mark.parametrize("answer", ["\n", "n\n", "\x03", "\x04"])
def test_interrupt_with_another_answer_lets_the_run_go_on(
    shared: Served, tmp_path: Path, answer: str
) -> None:
    terminal = Terminal(shared, "run", "wait", f"GATE={tmp_path}/gate", "--wait")
    terminal.see("begun")
    terminal.type("\x03")
    terminal.see("? [y/N]")
    run = numbered(r"Cancel run #(\d+)\? \[y/N\]", terminal)
    terminal.type(answer)
    assert terminal.end() == 130
    assert f"#{run} goes on" in terminal.text
    (tmp_path / "gate").touch()
    assert shared.run("logs", "-f", run).stdout == "begun\ndone\n"


def test_waiting_goes_on_while_errand_is_started_anew(errand: Served, tmp_path: Path) -> None:
    terminal = Terminal(errand, "run", "wait", f"GATE={tmp_path}/gate", "--wait")
    terminal.see("begun")
    errand.end(signal.SIGKILL)
    (tmp_path / "errand.db.door").unlink()  # of the killed one, so that the next is waited for
    terminal.see("Trying again")
    errand.start()
    (tmp_path / "gate").touch()
    assert terminal.end() == 0
    assert terminal.text.count("begun") == 1
    assert "done" in terminal.text


def test_run_that_nobody_waits_for_is_told_and_cancelled_by_name(errand: Served) -> None:
    begun = errand.run("run", "wait")
    assert (begun.returncode, begun.stdout) == (0, "http://127.0.0.1:8000/runs/1\n")
    until(lambda: json.loads(errand.run("status", "1", "--json").stdout)["state"] == "running")
    assert "wait #1 is being stopped." in errand.run("cancel", "wait").stderr
    until(lambda: json.loads(errand.run("status", "1", "--json").stdout)["state"] == "finished")
    again = errand.run("cancel", "wait")
    assert (again.returncode, again.stderr) == (1, "There is no unfinished run of wait.\n")


def test_rerun_is_the_same_but_for_what_is_said(errand: Served) -> None:
    errand.run("run", "hello", "NAME=Ada", "--wait")
    assert errand.run("rerun", "#1", "--wait").stdout == "Hello, Ada!\n"
    assert errand.run("rerun", "hello", "NAME=Bob", "--wait").stdout == "Hello, Bob!\n"


@pytest.mark.parametrize(
    ("words", "told", "code"),
    [
        (["run", "helo"], "helo", 1),
        (["run", "hello", "NAEM=x"], "NAEM", 1),
        (["run", "hello", "x"], "expected KEY=VALUE", 2),
        (["run", "hello", "A=1", "A=2"], "given twice", 2),
        (["run", "hello", "--timeout", "1s"], "needs --wait", 2),
        (["run", "hello", "--wait", "--timeout", "soon"], "--timeout: expected a duration", 2),
        (["run"], "NAME", 2),
        (["logs", "99"], "no run #99", 1),
        (["status", "nothing"], "no job nothing", 1),
        (["cancel", "hello"], "no unfinished run", 1),
        (["exec", "shop"], "stands after `--`", 2),
        (["token", "create", "ci", "--scope", "run:UP"], "--scope: expected read", 2),
        (["pause", "nightly", "until"], "Expected `until TIME`", 2),
        (["nonsense"], "nonsense", 2),
    ],
)
def test_mistakes_are_told_on_stderr(shared: Served, words: list[str], told: str, code: int) -> None:
    done = shared.run(*words)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_errand_that_does_not_answer_is_told(errand: Served) -> None:
    errand.end(signal.SIGKILL)
    done = errand.run("jobs")
    assert done.returncode == 1
    assert "Is `errand serve` running?" in done.stderr


def test_what_a_job_reports_is_seen_on_its_way_and_at_its_end(errand: Served, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    terminal = Terminal(errand, "run", "reports", f"GATE={gate}", "--wait")
    terminal.see("reports #1 ▰▱ 1/2")
    standing = json.loads(errand.run("status", "1", "--json").stdout)
    assert (standing["state"], standing["progress"]) == ("running", {"done": 1, "total": 2})
    gate.touch()
    assert terminal.end() == 0
    found = json.loads(errand.run("status", "1", "--json").stdout)
    assert found["outputs"] == {"run": "1 of reports by api"}
    assert (found["summary"], found["progress"]) == (
        "# All *done*\n<script>x</script>",
        {"done": 2, "total": 2},
    )
    shown = errand.run("status", "1").stdout
    assert "output run  1 of reports by api" in shown
    assert shown.endswith("\n\n# All *done*\n<script>x</script>\n")
