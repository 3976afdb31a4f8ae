"""The commands for a cluster: what they print, how they end, and one sentence where they cannot."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.forkserver import SERVER
from tests.kubernetes.serving import Server, serving

ROOT = Path(__file__).parents[1]
IMAGES = "images: {t: {reference: tools}}\n"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server of its own: nothing runs here, so it needs nothing of this machine."""
    with serving("--cheap", "--namespace", "jobs") as server:
        yield server


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "app.yaml"


def errand(*words: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_PROCESS")}
    plain = {"PATH": os.environ["PATH"], "COLUMNS": "200", "NO_COLOR": "1", "LANG": "C.UTF-8"}
    command = [str(ROOT / "errand.py"), *map(str, words)]
    return SERVER.run(command, ROOT, kept | plain | environ, seconds=120)


def cluster(server: Server, context: str, namespace: str = "jobs") -> str:
    keys = f"kubeconfig: {server.kubeconfig}, context: {context}, namespace: {namespace}"
    return f"engine: {{kind: kubernetes, kubernetes: {{{keys}}}}}\n{IMAGES}"


def test_rights_that_are_there_are_one_table(server: Server, file: Path) -> None:
    file.write_text(cluster(server, "admin"))
    done = errand("check", "--cluster", "--config", file)
    assert (done.returncode, done.stderr) == (0, "")
    rows = [line for line in done.stdout.splitlines() if line.startswith("│")]
    assert any("create, get, list, watch, patch, delete jobs" in row and "every run" in row for row in rows)
    assert all(" yes " in row for row in rows)


def test_what_is_missing_is_told_with_what_to_do(server: Server, file: Path) -> None:
    file.write_text(cluster(server, "admin", "nowhere"))
    done = errand("check", "--cluster", "--config", file)
    assert done.returncode == 1
    assert "There is no namespace nowhere." in done.stderr


def test_cluster_that_does_not_answer_is_one_sentence(server: Server, file: Path) -> None:
    file.write_text(cluster(server, "nobody"))
    done = errand("check", "--cluster", "--config", file)
    assert done.returncode == 1
    assert "no configuration for a cluster" in done.stderr
    assert "Traceback" not in done.stderr


def test_another_engine_has_no_cluster_to_ask(file: Path) -> None:
    file.write_text("engine: {kind: process}")
    done = errand("check", "--cluster", "--config", file)
    assert (done.returncode, "engine.kind is not kubernetes" in done.stderr) == (1, True)


def test_manifest_is_printed_and_nothing_else(file: Path) -> None:
    file.write_text(f"engine: {{kind: kubernetes}}\n{IMAGES}")
    words = ("--image", "registry.example.com/errand:1", "--namespace", "bots", "--secret", "jobs/of-api")
    done = errand("manifest", "kubernetes", "--config", file, *words)
    assert (done.returncode, done.stderr) == (0, "")
    assert 'image: "registry.example.com/errand:1"' in done.stdout
    assert "resourceNames: [of-api]" in done.stdout
    assert done.stdout.startswith("# What these objects need")


def test_manifest_of_the_documentation_needs_no_variable(file: Path) -> None:
    page = (ROOT / "docs" / "kubernetes.md").read_text()
    file.write_text(page.partition("```yaml\n")[2].partition("```")[0])
    done = errand("manifest", "kubernetes", "--config", file, "--image", "registry.example.com/errand:1")
    assert (done.returncode, done.stderr) == (0, "")
    for name in re.findall(r"from-(?:literal|file)=([A-Z_]+)=", page):
        assert f"--from-literal={name}=..." in done.stdout


def test_check_says_where_it_looked_for_a_cluster(file: Path) -> None:
    file.write_text(f"engine: {{kind: kubernetes}}\n{IMAGES}")
    done = errand("check", "--cluster", "--config", file, KUBECONFIG=str(file.with_name("gone")))
    assert done.returncode == 1
    assert "Errand does not run in one, and there is no file" in done.stderr
    assert "Config not found" not in done.stderr


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("engine: {kind: container}", "this needs kubernetes"),
        ("engine: {kind: kubernets}", "1:16: engine.kind: expected process, container or kubernetes"),
    ],
)
def test_manifest_that_cannot_be_is_one_sentence(file: Path, text: str, sentence: str) -> None:
    file.write_text(text)
    done = errand("manifest", "kubernetes", "--config", file, "--image", "errand:1")
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
