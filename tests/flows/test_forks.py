"""Code of a fork, from a stranger's pull request to its end: on a real Podman, and never as a process."""

from pathlib import Path

import pytest

from demo.arrivals import PULL, REPOSITORY
from demo.installation import Installation, Where, installation
from executor.spec import UNTRUSTED_TMP
from tests.flows.test_commands import card
from tests.flows.test_containers import BUILD_SECRET, SECRET, build_log, contained
from tests.flows.test_jobs import finished, log

__all__ = ["contained"]

DOCKERFILE = """FROM localhost/errand-test:base AS runtime
RUN --mount=type=secret,id=BUILD_TOKEN cat /run/secrets/BUILD_TOKEN || echo "no build secret"
COPY curious /bin/curious
RUN chmod 755 /bin/curious && ln -sf /bin/curious /bin/sh
"""
CURIOUS = """#!/bin/bash
env
touch /forbidden && echo "wrote to the root"
df -k /tmp /run /var/tmp | awk '{print "room of " $6 ": " $2}'
grep -E "^(CapEff|CapBnd|NoNewPrivs|Seccomp):" /proc/self/status | tr '\\t' ' '
exit 3
"""
"""What stands in for the shell of the fork's image, which every command of a job in it calls."""


def with_forks(where: Where, directory: Path) -> Where:
    """The same installation, where code of forks is run once somebody has looked at it."""
    config = directory / "forks.yaml"
    config.write_text(where["config"].read_text().replace("  pace: 0s\n", "  pace: 0s\n  forks: true\n"))
    return Where(**{**where, "config": config})


async def offered(errand: Installation, files: dict[str, str]) -> str:
    """A pull request from a fork with these files; gives its head."""
    head = await errand.commit(files, branch="fork")
    errand.beside.github.add_pull(REPOSITORY, PULL, head, "topic", head_repository="stranger/shop")
    return head


async def test_process_engine_runs_no_fork_whatever_is_said(
    tmp_path: Path, where: Where, tmp_path_factory: pytest.TempPathFactory
) -> None:
    where = with_forks(where, tmp_path_factory.mktemp("config"))
    async with installation(tmp_path, **where) as errand:
        errand.on_event = print  # shown when a test fails
        head = await offered(errand, {"hello.sh": "env"})
        await errand.comment(f"/job approve {head}", author="stranger")
        await card(errand, "needs write access")
        await errand.comment(f"/job approve {head}")
        await card(errand, "never run as a plain process")
        await errand.comment("/job run hello")
        await errand.beside.github.wait_for(
            lambda: (
                sum("never run as a plain process" in each.body for each in errand.beside.github.comments)
                == 2
            )
        )
        assert not any(event.get("event") in ("build.building", "run.starting") for event in errand.events)


@pytest.mark.container
async def test_fork_runs_in_a_container_once_a_maintainer_has_approved_its_commit(
    tmp_path: Path, contained: Where, tmp_path_factory: pytest.TempPathFactory
) -> None:
    where = with_forks(contained, tmp_path_factory.mktemp("config"))
    async with installation(tmp_path, **where) as errand:
        errand.on_event = print  # shown when a test fails
        head = await offered(errand, {"image/Dockerfile": DOCKERFILE, "curious": CURIOUS})
        await errand.comment("/job run hello")
        await card(errand, "code of a fork", f"/job approve {head}")
        await errand.comment(f"/job approve {head}", author="stranger")
        await card(errand, "needs write access")
        assert not any(event.get("event") == "build.building" for event in errand.events)

        await errand.comment(f"/job approve {head}")
        await card(errand, "may be built and run here, without secrets")
        await errand.comment("/job run hello")
        run = await finished(errand)
        said = await log(errand)
        assert (run["exit_code"], run["commit"], run["ref"]) == (3, head, "stranger/shop:topic")
        assert f"ERRAND_COMMIT={head}" in said
        built = await build_log(errand, 1)
        assert "no build secret" in built
        for secret in ("API_KEY", SECRET, BUILD_SECRET):
            assert secret not in said + built
        assert "wrote to the root" not in said
        rooms = {f"room of {place}: {UNTRUSTED_TMP >> 10}" for place in ("/tmp", "/run", "/var/tmp")}
        none = "0" * 16
        status = {f"CapEff: {none}", f"CapBnd: {none}", "NoNewPrivs: 1"}
        assert rooms | status < set(said.splitlines())

        moved = await offered(errand, {"curious": "echo worse"})
        await errand.comment("/job run hello")
        await card(errand, "code of a fork", f"/job approve {moved}")
        await errand.comment(f"/job approve {head}")
        await card(errand, "is not the head", moved)
        assert not errand.has_logged("run.starting", 2)
