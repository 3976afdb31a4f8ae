"""The command line: what it prints, how it ends, and one helpful sentence where it cannot."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.changing import changing
from tests.forkserver import SERVER

ROOT = Path(__file__).parents[1]

CONFIG = """\
database: sqlite:///{home}/errand.db
logs: {{directory: {home}/logs}}
github: {{token: ghp_something, webhook_secret: hook-secret}}
engine: {{process: {{directory: {home}/work}}}}
images: {{shop: {{build: {{repository: acme/shop}}}}}}
jobs: {{hello: {{image: shop, command: echo hello, description: "Say [bold]hello"}}}}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A right app.yaml."""
    file = tmp_path / "app.yaml"
    file.write_text(CONFIG.format(home=tmp_path))
    return file


def errand(*arguments: str | Path, seconds: float = 60) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end."""
    command = [str(ROOT / "errand.py"), *map(str, arguments)]
    return SERVER.run(command, ROOT, environ(), seconds=seconds)


def alone(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as people do, with nothing loaded."""
    return subprocess.run(
        [sys.executable, ROOT / "errand.py", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=environ(),
        cwd=ROOT,
    )


def environ() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_PROCESS")}
    return kept | {"PATH": os.environ["PATH"], "COLUMNS": "200", "NO_COLOR": "1", "LANG": "C.UTF-8"}


def sentence(done: subprocess.CompletedProcess[str], code: int) -> str:
    """What was said on stderr with this exit code, and never a traceback."""
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
    return done.stderr


@contextmanager
def served(config: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A service that listens, and the address it tells."""
    process = subprocess.Popen(
        [sys.executable, ROOT / "errand.py", "serve", "--config", config, "--port", "0", *arguments],
        stderr=subprocess.PIPE,
        text=True,
        env=environ(),
        cwd=ROOT,
    )
    try:
        assert process.stderr is not None
        line = next(line for line in process.stderr if '"serving"' in line)
        found = re.search(r'"address": "http://([^"]+)"', line)
        assert found is not None
        yield process, found[1]
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def test_right_configuration_is_summed_up(config: Path) -> None:
    done = errand("check", "--config", config)
    assert done.returncode == 0
    for words in (f"{config} is right.", "acme/shop", "Say [bold]hello", "slack"):
        assert words in done.stdout
    assert "ghp_something" not in done.stdout


def test_every_mistake_is_told_with_its_place(config: Path) -> None:
    config.write_text(config.read_text().replace("acme/shop", "shop") + "colour: [red]\n")
    said = sentence(errand("check", "--config", config), 2)
    assert f"{config}:5:" in said
    assert f"{config}:7:1: " in said
    assert "colour" in said


def test_check_speaks_to_programs_with_the_same_exit_codes(config: Path) -> None:
    right = errand("check", "--config", config, "--format", "json")
    assert (right.returncode, right.stderr) == (0, "")
    remarks = json.loads(right.stdout)
    assert remarks["right"]
    assert {each["level"] for each in remarks["findings"]} == {"warning"}  # `hook-secret` is short
    config.write_text(config.read_text().replace("github: {", "github: {colour: red, "))
    wrong = errand("check", "--config", config, "--format", "github")
    assert (wrong.returncode, wrong.stderr) == (2, "")
    assert (
        wrong.stdout
        == f"::error file={config},line=3,col=10::github.colour: unknown key; did you mean clone_url?\n"
    )


def test_env_file_beside_the_configuration_is_read(config: Path) -> None:
    with changing(config) as app:
        app["github"]["token"] = "${GITHUB_TOKEN}"
    assert "GITHUB_TOKEN is not set" in sentence(errand("check", "--config", config), 2)
    env = config.with_name(".env")
    env.write_text("GITHUB_TOKEN=github_pat_0123456789\n")
    env.chmod(0o600)
    assert errand("check", "--config", config).returncode == 0
    with served(config) as (_, address):
        assert address
    env.write_text("GITHUB_TOKEN=x\nnonsense\n")
    for command in ("check", "serve"):
        assert f"{env}:2:1: expected NAME=VALUE" in sentence(errand(command, "--config", config), 2)


@pytest.mark.parametrize("command", [["check"], ["serve"], ["token", "list"]])
def test_file_that_is_not_there_is_named(tmp_path: Path, command: list[str]) -> None:
    said = sentence(errand(*command, "--config", tmp_path / "none.yaml"), 2)
    assert "none.yaml: cannot be read: No such file" in said


def test_tokens_are_made_listed_and_ended(config: Path) -> None:
    made = errand("token", "create", "[red]ci", "--config", config)
    assert (made.returncode, len(made.stdout.strip()) > 20) == (0, True)
    assert "'[red]ci', shown only now" in made.stderr
    assert "already" in sentence(errand("token", "create", "[red]ci", "--config", config), 1)
    listed = errand("token", "list", "--config", config).stdout
    assert "[red]ci" in listed
    assert "never" in listed
    assert made.stdout.strip() not in listed
    assert errand("token", "delete", "[red]ci", "--config", config).returncode == 0
    assert "no token '[red]ci'" in sentence(errand("token", "delete", "[red]ci", "--config", config), 1)


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\nb"])
def test_token_needs_a_name_that_can_be_read(config: Path, name: str) -> None:
    assert "printable" in sentence(errand("token", "create", name, "--config", config), 2)


def test_version_is_a_number() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", alone("version").stdout)


def test_port_in_use_is_told(config: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = sentence(errand("serve", "--config", config, "--port", port), 1)
    assert f"127.0.0.1:{port} cannot be listened on" in said
    assert "--port" in said


def test_address_that_is_not_ours_is_told(config: Path) -> None:
    assert "cannot be listened on" in sentence(errand("serve", "--config", config, "--host", "192.0.2.1"), 1)
    assert "65535" in sentence(errand("serve", "--config", config, "--port", "65536"), 2)


def test_directory_that_cannot_be_made_is_told(config: Path, tmp_path: Path) -> None:
    (tmp_path / "work").write_text("a file")
    said = sentence(errand("serve", "--config", config, "--port", "0"), 1)
    assert str(tmp_path / "work") in said


def test_database_without_a_directory_is_told(config: Path, tmp_path: Path) -> None:
    with changing(config) as app:
        app["database"] = f"sqlite:///{tmp_path}/none/errand.db"
    assert "there is no directory" in sentence(errand("serve", "--config", config, "--port", "0"), 1)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_service_ends_at_a_signal_and_lets_nobody_else_in_meanwhile(config: Path, host: str) -> None:
    with served(config, "--host", host) as (process, address):
        assert address.startswith(f"[{host}]:" if ":" in host else host)
        said = sentence(errand("serve", "--config", config, "--port", "0"), 1)
        assert "Another Errand already runs on" in said
        assert errand("token", "create", "beside", "--config", config).returncode == 0
    assert process.returncode == 0


def test_demo_goes_the_whole_way() -> None:
    done = alone("demo")
    assert done.returncode == 0, done.stdout + done.stderr
