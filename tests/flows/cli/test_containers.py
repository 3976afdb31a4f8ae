"""`errand exec` and `errand run --image`, with containers of a real Podman."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.cli.beside import Served, served
from tests.podman import Podman

pytestmark = pytest.mark.container

APP = """\
url: http://127.0.0.1:8000
engine: {{kind: container, container: {{arguments: {arguments}}}}}
images: {{tools: {{reference: "localhost/errand-test:base"}}}}
jobs: {{taste: {{image: tools, command: 'echo "flavour: ${{FLAVOUR:-plain}}"'}}}}
"""
CHERRY = "FROM localhost/errand-test:base\nENV FLAVOUR=cherry\n"


@pytest.fixture
def errand(tmp_path: Path, podman: Podman) -> Iterator[Served]:
    """One that serves with the Podman of the tests."""
    (tmp_path / "app.yaml").write_text(APP.format(arguments=json.dumps(podman.arguments)))
    with served(tmp_path, {"CONTAINERS_CONF": os.environ["CONTAINERS_CONF"]}) as made:
        yield made
    podman.run("rm", "--all", "--force", "--time", "0")


def test_single_command_runs_in_an_image_and_is_kept_like_a_job(errand: Served) -> None:
    words = ["sh", "-c", 'readlink /bin/ls; echo "<$1>"; exit 7', "sh", "a  b"]
    done = errand.run("exec", "tools", "--wait", "--", *words)
    assert (done.returncode, done.stdout) == (7, "/bin/busybox\n<a  b>\n"), done.stderr
    assert "exec #1 failed (7)" in done.stderr
    run = json.loads(errand.run("status", "1", "--json").stdout)
    assert (run["job"], run["actor"], run["exit_code"]) == ("exec", "token:local", 7)
    assert errand.run("logs", "exec").stdout == done.stdout
    refused = errand.run("exec", "docker.io/library/alpine", "--", "true")
    assert (refused.returncode, refused.stdout) == (1, ""), refused.stderr


def test_one_run_takes_another_tag_of_its_image(errand: Served, podman: Podman, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(CHERRY)
    tag = ["-t", "localhost/errand-test:cherry"]
    podman.run("build", "-q", *tag, "-f", str(tmp_path / "Dockerfile"), str(tmp_path))
    cherry = errand.run("run", "taste", "--image", "cherry", "--wait")
    assert (cherry.returncode, cherry.stdout) == (0, "flavour: cherry\n"), cherry.stderr
    assert errand.run("run", "taste", "--wait").stdout == "flavour: plain\n"
    refused = errand.run("run", "taste", "--image", "../other:cherry")
    assert (refused.returncode, "tag" in refused.stderr) == (1, True), refused.stderr
