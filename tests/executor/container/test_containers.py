"""What the engine is asked for, and how its answers are read."""

import json
from pathlib import Path
from typing import Any

import pytest

from executor.container import containers
from executor.container.containers import ContainerExtras
from executor.spec import UNTRUSTED_TMP, RunSpec
from executor.targets import targets

SPEC = RunSpec("run-1", ("printf", "%s", "$(id)"), image="localhost/shop:1")


def given(**more: Any) -> ContainerExtras:
    usual: dict[str, Any] = {
        "installation": "abc",
        "driver": "k8s-file",
        "network": None,
        "rlimits": (-1, -1),
        "files": {},
        "live": {},
        "masked": [],
        "shell": None,
    }
    return ContainerExtras(**usual | more)


def spec(**more: Any) -> RunSpec:
    return RunSpec("run-1", SPEC.command, image=SPEC.image, **more)


def test_every_container_is_hardened() -> None:
    body = containers.body(SPEC, given())
    host = body["HostConfig"]
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert host["Init"] is True
    assert host["PidsLimit"] == containers.PIDS
    assert host["RestartPolicy"] == {"Name": "no"}
    assert not {"NetworkMode", "PortBindings", "PublishAllPorts", "Privileged", "Binds"} & set(host)
    assert "ExposedPorts" not in body


def test_network_is_asked_for_by_its_name() -> None:
    assert containers.body(SPEC, given(network="errand-abc-run-1"))["HostConfig"]["NetworkMode"] == (
        "errand-abc-run-1"
    )


def test_command_replaces_the_image_s_own() -> None:
    body = containers.body(SPEC, given())
    assert [*body["Entrypoint"], *body["Cmd"]] == list(SPEC.command)


def test_both_outputs_go_into_one_pipe_and_words_into_no_script() -> None:
    body = containers.body(spec(setup="source x"), given(shell="bash"))
    words = [*body["Entrypoint"], *body["Cmd"]]
    assert words[:4] == ["bash", "-c", 'exec "$@" 2>&1', "bash"]
    assert words[-4:] == ["source x", *SPEC.command]


@pytest.mark.parametrize(
    ("command", "setup", "shell"),
    [
        (("sh", "-c", "x"), None, "sh"),
        (("/bin/bash", "x"), None, "/bin/bash"),
        (("python", "x"), None, None),
        (("python", "x"), "true", "bash"),
    ],
)
def test_shell_is_one_that_the_run_needs_anyway(
    command: tuple[str, ...], setup: str | None, shell: str | None
) -> None:
    assert containers.shell(RunSpec("run-1", command, setup=setup)) == shell


def test_values_travel_in_the_environment_and_own_ones_win_over_the_workload_s() -> None:
    body = containers.body(spec(env={"A": "own", "B": "b c"}), given(live={"A": "live", "L": "1"}))
    env = [each for each in body["Env"] if not each.startswith("ERRAND_")]  # where the job reports
    assert sorted(env) == ["A=own", "B=b c", "L=1"]


def test_labels_tell_a_restarted_bot_all_that_it_needs_and_no_value() -> None:
    body = containers.body(spec(env={"TOKEN": "s3cret"}, timeout=5.0, grace=1.5), given(masked=["TOKEN"]))
    labels = body["Labels"]
    assert (labels[containers.TIMEOUT], labels[containers.GRACE]) == ("5.0", "1.5")
    assert json.loads(labels[containers.MASKED]) == ["TOKEN"]
    assert "s3cret" not in json.dumps(labels)


def test_limits_are_those_of_the_run() -> None:
    host = containers.body(spec(memory=64 << 20, cpu=0.25), given())["HostConfig"]
    assert (host["Memory"], host["MemorySwap"], host["NanoCpus"]) == (64 << 20, 64 << 20, 250_000_000)
    assert "Memory" not in containers.body(SPEC, given())["HostConfig"]


def test_read_only_root_leaves_a_place_for_temporary_files() -> None:
    host = containers.body(spec(read_only=True), given())["HostConfig"]
    assert host["ReadonlyRootfs"] is True
    assert set(host["Tmpfs"]) == {"/tmp"}
    assert "size=" not in host["Tmpfs"]["/tmp"]
    untrusted = containers.body(spec(read_only=True, untrusted=True), given())["HostConfig"]
    assert set(untrusted["Tmpfs"]) == {"/tmp", "/run", "/var/tmp"}
    assert all(f"size={UNTRUSTED_TMP}" in each.split(",") for each in untrusted["Tmpfs"].values())
    assert "Tmpfs" not in containers.body(SPEC, given())["HostConfig"]


def test_files_are_mounted_to_be_read() -> None:
    host = containers.body(SPEC, given(files={"/etc/x": Path("/state/0")}))["HostConfig"]
    assert host["Mounts"] == [
        {"Type": "bind", "Source": "/state/0", "Target": "/etc/x", "ReadOnly": True},
    ]


@pytest.mark.parametrize(("workdir", "whole"), [("/app", "/app"), ("app/x", "/app/x")])
def test_workdir_is_in_the_image(workdir: str, whole: str) -> None:
    assert containers.body(spec(workdir=workdir), given())["WorkingDir"] == whole
    assert "WorkingDir" not in containers.body(SPEC, given())


@pytest.mark.parametrize(
    ("rlimits", "asked"),
    [((-1, -1), []), ((2**20, 2**21), []), ((1024, 20000), [("nofile", 1024), ("nproc", 16384)])],
)
def test_rlimits_are_asked_for_where_this_process_has_few(
    rlimits: tuple[int, int], asked: list[tuple[str, int]]
) -> None:
    limits = containers.ulimits(rlimits)
    assert [(limit["Name"], limit["Hard"]) for limit in limits] == asked


@pytest.mark.parametrize("path", ["", "/", "..", "a/../b", "a//b", "a\nb", "a,readonly=false", "a\0b"])
def test_path_of_a_file_that_could_mean_something_else_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="cannot be placed"):
        targets({path: ""}, reserved=containers.RESERVED)


def test_two_texts_for_one_file_are_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        targets({"/a/b": "1", "a/b": "2"}, reserved=containers.RESERVED)


@pytest.mark.parametrize(
    "wrong",
    [
        RunSpec("run-1", ()),
        RunSpec("run-1", ("a\0b",)),
        RunSpec("run-1", ("a",), env={"A=B": ""}),
        RunSpec("run-1", ("a",), env={"": ""}),
        RunSpec("run-1", ("a",), env={"A": "\0"}),
        RunSpec("run-1", ("a",), setup="\0"),
    ],
)
def test_what_no_process_can_have_is_refused(wrong: RunSpec) -> None:
    with pytest.raises(ValueError, match=r"empty|environment"):
        containers.check(wrong)


def test_times_are_read_to_the_nanosecond_and_never_is_none() -> None:
    assert containers.moment("1970-01-01T00:00:01.500000000Z") == 1.5
    assert containers.moment("1970-01-01T02:00:01+02:00") == 1.0
    assert containers.moment("0001-01-01T00:00:00Z") is None
    assert containers.moment(None) is None


def test_installations_on_one_machine_have_different_names(tmp_path: Path) -> None:
    one, other = (containers.installation(tmp_path / name) for name in ("one", "other"))
    assert containers.name(one, "run-1") != containers.name(other, "run-1")
    assert containers.installation(tmp_path / "one" / ".." / "one") == one
