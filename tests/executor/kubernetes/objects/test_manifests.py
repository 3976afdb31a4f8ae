"""The objects of a run."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from executor.kubernetes.objects.manifests import Manifests, of_run
from executor.kubernetes.objects.pods import RESERVED, UNKNOWN, ImageFacts, literal
from executor.kubernetes.objects.workloads import Workload
from executor.kubernetes.settings import Builder, Settings
from executor.spec import UNTRUSTED_TMP, About, Reference, RunSpec, Secret
from executor.supervisor.setup import PREFACE
from executor.targets import targets

SETTINGS = Settings(namespace="jobs", installation="here")
SPEC = RunSpec(key="run-1-abc", command=("migrate", "now"), image="ghcr.io/acme/tools:1.4")
LIVE = Workload(
    namespace="prod",
    image="ghcr.io/acme/shop@sha256:" + "a1" * 32,
    env=({"name": "A", "value": "a"}, {"name": "B", "value": "$(A)/b"}),
    env_from=({"secretRef": {"name": "shop"}},),
    volumes=({"name": "data", "persistentVolumeClaim": {"claimName": "data"}},),
    mounts=({"name": "data", "mountPath": "/data"}, {"name": "data", "mountPath": "/tmp", "subPath": "tmp"}),
    service_account="shop",
    has_token=True,
    pull_secrets=("hub",),
    placement={"nodeSelector": {"disk": "fast"}},
    pod_security={"runAsUser": 1000, "runAsNonRoot": True},
    container_security={"readOnlyRootFilesystem": True},
)


def manifest(
    spec: RunSpec, settings: Settings, workload: Workload | None = None, facts: ImageFacts = UNKNOWN
) -> Manifests:
    return of_run(spec, targets(spec.files, reserved=RESERVED), settings, workload, facts)


def made(settings: Settings = SETTINGS, **changes: Any) -> Manifests:
    return manifest(replace(SPEC, **changes), settings)


def whole(found: Manifests) -> dict[str, Any]:
    spec: dict[str, Any] = found.job["spec"]["template"]["spec"]
    return spec


def pod(found: Manifests) -> dict[str, Any]:
    """The pod without what each has for its report."""
    spec = whole(found)
    return {**spec, "volumes": [one for one in spec["volumes"] if one["name"] != "errand-report"]}


def job(found: Manifests) -> dict[str, Any]:
    """The container of the job without what each has for its report."""
    container: dict[str, Any] = pod(found)["containers"][0]
    own = [one for one in container["env"] if one["name"] not in REPORTING]
    mounts = [one for one in container["volumeMounts"] if one["name"] != "errand-report"]
    return {**container, "env": own, "volumeMounts": mounts}


REPORTING = ("ERRAND_OUTPUTS", "ERRAND_SUMMARY", "ERRAND_PROGRESS")


def expanded(text: str) -> str:
    """What Kubernetes makes of `text` where no variable is known."""
    return text.replace("$$", "$")


def test_a_job_runs_once_and_ends_by_itself_where_every_bot_is_away() -> None:
    found = made(settings=replace(SETTINGS, pending_timeout=60.0), timeout=100.5, grace=2.2)
    spec = found.job["spec"]
    assert (spec["backoffLimit"], spec["completions"], spec["parallelism"]) == (0, 1, 1)
    assert spec["activeDeadlineSeconds"] == 163
    assert spec["ttlSecondsAfterFinished"] == 604800
    assert spec["podReplacementPolicy"] == "Failed"
    assert pod(found)["restartPolicy"] == "Never"
    assert found.job["spec"]["template"]["metadata"]["finalizers"] == ["errand/outcome"]


def test_who_has_no_hook_is_killed_by_the_node_and_who_has_one_by_that_before_the_node() -> None:
    for grace, seconds in ((2.2, 3), (0.0, 1)):
        bare = made(signal_children=False, command=("python", "work.py"), grace=grace)
        assert pod(bare)["terminationGracePeriodSeconds"] == seconds
        hooked = made(grace=grace)
        assert pod(hooked)["terminationGracePeriodSeconds"] == seconds + 2
        assert job(hooked)["lifecycle"]["preStop"]["exec"]["command"][-1] == f"{seconds}00"


def test_job_and_pod_have_the_labels_and_annotations() -> None:
    found = made(
        about=About({"job": "migrate", "cause": "push"}, {"actor": "octocat", "url": "http://e/runs/1"})
    )
    for metadata in (found.job["metadata"], found.job["spec"]["template"]["metadata"]):
        assert metadata["labels"]["errand/job"] == "migrate"
        assert metadata["labels"]["app.kubernetes.io/component"] == "run"
        assert metadata["annotations"] == {
            "errand/actor": "octocat",
            "errand/url": "http://e/runs/1",
            "errand/key": "run-1-abc",
        }
    assert found.job["metadata"]["name"] == "run-1-abc"
    assert found.job["metadata"]["namespace"] == "jobs"


def test_pod_security_restricted_by_default() -> None:
    found = manifest(SPEC, SETTINGS, None, ImageFacts(is_non_root=True))
    assert pod(found)["securityContext"] == {
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert job(found)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod(found)["automountServiceAccountToken"] is False
    assert pod(found)["enableServiceLinks"] is False


def test_an_image_of_which_nothing_is_known_may_run_as_root() -> None:
    assert "runAsNonRoot" not in pod(made())["securityContext"]


def test_what_is_asked_for_is_the_limit() -> None:
    wanted = {"cpu": "250m", "memory": "67108864", "nvidia.com/gpu": "2"}
    found = made(cpu=0.25, memory=64 << 20, gpu=2)
    assert job(found)["resources"] == {"requests": wanted, "limits": wanted}
    assert job(made())["resources"] == {}
    assert job(made(cpu=0.0001))["resources"]["limits"] == {"cpu": "1m"}


def test_commands_run_as_they_are() -> None:
    assert job(made())["command"] == ["migrate", "now"]
    assert job(made(command=("echo", "$(HOME) $$x $")))["command"] == ["echo", "$$(HOME) $$$$x $$"]
    assert job(made(workdir="app/x"))["workingDir"] == "/app/x"


def test_both_outputs_of_a_shell_are_one_pipe() -> None:
    assert job(made(command=("sh", "-c", "a b")))["command"] == [
        "sh",
        "-c",
        'exec "$$@" 2>&1',
        "sh",
        "sh",
        "-c",
        literal(PREFACE) + "a b",
    ]


def test_setup_comes_before_the_command_in_the_same_shell() -> None:
    words = job(made(setup="source x"))["command"]
    assert words[:3] == ["bash", "-c", 'exec "$$@" 2>&1']
    assert words[-3:] == ["source x", "migrate", "now"]


@given(some.text(some.sampled_from("$()aA_ {}"), max_size=20))
def test_no_word_is_expanded(text: str) -> None:
    found = made(command=("echo", text), env={"X": text})
    assert expanded(job(found)["command"][1]) == text
    assert expanded(job(found)["env"][0]["value"]) == text
    assert "$(" not in text or "$(" not in job(found)["command"][1].replace("$$", "")


def test_values_with_a_secret_in_them_lie_in_a_secret() -> None:
    found = made(
        env={"MODE": "prod", "DSN": "postgres://u:pa$$word@h/", "ENCODED": "eCBwYSQkd29yZA==", "PIN": "1"},
        secrets=(Secret("pa$$word"), Secret("x pa$$word"), Secret("1"), Secret("")),
    )
    assert found.secret is not None
    told = {item["name"]: item for item in job(found)["env"]}
    assert told["MODE"] == {"name": "MODE", "value": "prod"}
    for name, value in (("DSN", "postgres://u:pa$$word@h/"), ("ENCODED", "eCBwYSQkd29yZA=="), ("PIN", "1")):
        source = told[name]["valueFrom"]["secretKeyRef"]
        assert source["name"] == found.secret["metadata"]["name"] == "run-1-abc"
        assert base64.b64decode(found.secret["data"][source["key"]]).decode() == value
    assert "pa$$word" not in json.dumps([found.job, found.secret])
    assert found.configmap is None


def test_files_are_mounted_one_by_one() -> None:
    found = made(
        files={"/etc/a.ini": "plain", "etc/b.ini/": "with hunter22"},
        secrets=(Secret("hunter22"),),
    )
    assert found.secret is not None
    assert found.configmap is not None
    assert found.configmap["data"] == {"file-0": "plain"}
    assert found.secret["data"] == {"file-0": base64.b64encode(b"with hunter22").decode()}
    assert job(found)["volumeMounts"] == [
        {"name": "errand-files", "mountPath": "/etc/a.ini", "subPath": "file-0", "readOnly": True},
        {"name": "errand-secret-files", "mountPath": "/etc/b.ini", "subPath": "file-0", "readOnly": True},
    ]
    for volume, source in zip(pod(found)["volumes"], ("configMap", "secret"), strict=True):
        assert volume[source]["defaultMode"] == 0o444
        assert volume[source]["items"] == [{"key": "file-0", "path": "file-0"}]


@pytest.mark.parametrize(
    "files",
    [
        {"/etc/../x": ""},
        {"": ""},
        {"/a:b": ""},
        {"/a\nb": ""},
        {"//": ""},
        {"/a": "1", "a": "2"},
        {"./a": ""},
    ],
)
def test_files_without_a_place_are_refused(files: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="The file"):
        made(files=files)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"command": ()}, "The command is empty"),
        ({"command": ("a\0b",)}, "NUL"),
        ({"env": {"A": "\0"}}, "NUL"),
        ({"env": {"A=B": "x"}}, "Not a name"),
        ({"env": {"": "x"}}, "Not a name"),
        ({"env": {"Ä": "x"}}, "Not a name"),
        ({"references": {"A B=": Reference("secret", "a", "b")}}, "Not a name"),
        ({"env": {"A": "\udcff"}}, "Unicode"),
        ({"files": {"/a": "\udcff"}}, "Unicode"),
    ],
)
def test_what_no_pod_can_have_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        made(**changes)


def test_references_stay_references() -> None:
    found = made(
        references={"URL": Reference("secret", "db", "url"), "MODE": Reference("configmap", "conf", "mode")}
    )
    assert job(found)["env"] == [
        {"name": "URL", "valueFrom": {"secretKeyRef": {"name": "db", "key": "url"}}},
        {"name": "MODE", "valueFrom": {"configMapKeyRef": {"name": "conf", "key": "mode"}}},
    ]


def test_a_read_only_root_has_a_place_for_temporary_files() -> None:
    found = made(read_only=True)
    assert job(found)["securityContext"]["readOnlyRootFilesystem"] is True
    assert job(found)["volumeMounts"] == [{"name": "errand-tmp", "mountPath": "/tmp"}]
    assert pod(found)["volumes"] == [{"name": "errand-tmp", "emptyDir": {}}]


def test_every_process_is_signalled_unless_the_job_wants_it_otherwise() -> None:
    assert job(made())["lifecycle"]["preStop"]["exec"]["command"][:2] == ["sh", "-c"]
    assert "lifecycle" not in job(made(signal_children=False, command=("python", "work.py")))
    assert "lifecycle" in job(made(signal_children=False, command=("sh", "-c", "cd /app && python work.py")))
    assert pod(made())["shareProcessNamespace"] is True


def test_the_configured_pod_is_merged_last() -> None:
    patch = {
        "nodeSelector": {"pool": "jobs"},
        "containers": [{"name": "job", "resources": {"limits": {"memory": "1Gi"}}}],
        "securityContext": {"runAsUser": 1000},
        "enableServiceLinks": None,
    }
    found = made(settings=replace(SETTINGS, pod=patch), memory=1, cpu=1.0)
    assert pod(found)["nodeSelector"] == {"pool": "jobs"}
    assert job(found)["resources"]["limits"] == {"memory": "1Gi", "cpu": "1000m"}
    assert pod(found)["securityContext"]["runAsUser"] == 1000
    assert pod(found)["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert "enableServiceLinks" not in pod(found)
    assert pod(made())["enableServiceLinks"] is False


def test_run_acts_as_whom_it_says_or_as_nobody_whatever_the_engine_and_its_pod_say() -> None:
    powerful = replace(
        SETTINGS,
        service_account="powerful",
        pod={"serviceAccountName": "admin", "automountServiceAccountToken": True},
    )
    for account, expected in (("migrator", "migrator"), ("", None)):
        found = pod(made(settings=powerful, service_account=account))
        assert (found.get("serviceAccountName"), found["automountServiceAccountToken"]) == (
            expected,
            expected is not None,
        )


def test_untrusted_code_gets_of_the_configured_pod_only_where_and_how_it_runs() -> None:
    given = {
        "serviceAccountName": "admin",
        "automountServiceAccountToken": True,
        "runtimeClassName": "gvisor",
        "nodeSelector": {"pool": "jobs"},
        "volumes": [{"name": "secrets", "secret": {"secretName": "shop"}}],
        "containers": [{"name": "job", "envFrom": [{"secretRef": {"name": "shop"}}]}],
    }
    settings = replace(SETTINGS, service_account="powerful", pod=given)
    found = made(settings=settings, untrusted=True, read_only=True, service_account="")
    assert (pod(found).get("serviceAccountName"), pod(found)["automountServiceAccountToken"]) == (None, False)
    assert (pod(found)["runtimeClassName"], pod(found)["nodeSelector"]) == ("gvisor", {"pool": "jobs"})
    assert [each["name"] for each in pod(found)["volumes"] if "secret" in each] == []
    assert "envFrom" not in job(found)
    assert job(found)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    assert {"name": "errand-tmp", "emptyDir": {"sizeLimit": str(UNTRUSTED_TMP)}} in pod(found)["volumes"]


def test_configured_pod_makes_untrusted_code_no_freer() -> None:
    open_wide = {"seccompProfile": {"type": "Unconfined"}, "appArmorProfile": {"type": "Unconfined"}}
    security = open_wide | {"sysctls": [{"name": "a", "value": "b"}], "runAsNonRoot": False, "runAsUser": 7}
    host = dict.fromkeys(("hostNetwork", "hostPID", "hostIPC"), True)
    settings = replace(SETTINGS, pod={**host, "securityContext": security})
    found = pod(made(settings=settings, untrusted=True, read_only=True, service_account=""))
    assert found["securityContext"] == {"seccompProfile": {"type": "RuntimeDefault"}, "runAsUser": 7}
    assert not set(host) & set(found)
    own = {"type": "Localhost", "localhostProfile": "tight.json"}
    tight = replace(SETTINGS, pod={"securityContext": {"seccompProfile": own}})
    found = pod(made(settings=tight, untrusted=True, service_account=""))
    assert found["securityContext"]["seccompProfile"] == own


def test_a_service_account_gives_its_token() -> None:
    found = pod(made(settings=replace(SETTINGS, service_account="runner")))
    assert (found["serviceAccountName"], found["automountServiceAccountToken"]) == ("runner", True)


def test_secrets_for_the_pull_are_those_that_the_image_needs() -> None:
    found = manifest(
        SPEC,
        replace(SETTINGS, builder=Builder(registry_secret="auth")),
        None,
        ImageFacts(pull_secrets=("a", "b")),
    )
    assert pod(found)["imagePullSecrets"] == [{"name": "a"}, {"name": "b"}]
    assert "imagePullSecrets" not in pod(made())


def test_a_run_shares_what_the_workload_has() -> None:
    found = manifest(replace(SPEC, image=None, read_only=True, env={"A": "mine", "C": "c"}), SETTINGS, LIVE)
    assert found.job["metadata"]["namespace"] == "prod"
    assert job(found)["image"] == LIVE.image
    assert [(item["name"], item["value"]) for item in job(found)["env"]] == [
        ("A", "mine"),
        ("B", "$(A)/b"),
        ("C", "c"),
    ]
    assert job(found)["envFrom"] == [{"secretRef": {"name": "shop"}}]
    assert job(found)["volumeMounts"] == list(LIVE.mounts)
    assert pod(found)["volumes"] == list(LIVE.volumes)
    assert pod(found)["serviceAccountName"] == "shop"
    assert pod(found)["automountServiceAccountToken"] is True
    assert pod(found)["imagePullSecrets"] == [{"name": "hub"}]
    assert pod(found)["nodeSelector"] == {"disk": "fast"}
    assert pod(found)["securityContext"]["runAsUser"] == 1000
    assert job(found)["securityContext"] == {
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }


def test_the_image_that_was_pinned_goes_before_that_of_the_workload() -> None:
    assert job(manifest(SPEC, SETTINGS, LIVE))["image"] == "ghcr.io/acme/tools:1.4"


def test_a_manifest_shares_nothing_with_what_it_is_made_of() -> None:
    found = manifest(SPEC, SETTINGS, LIVE)
    job(found)["volumeMounts"][0]["mountPath"] = "/changed"
    assert {mount["mountPath"] for mount in LIVE.mounts} == {"/data", "/tmp"}


def test_job_names_the_variables_of_its_workload_that_no_log_shows() -> None:
    env = ({"name": "API_TOKEN", "value": "hunter22"}, {"name": "DB_PASSWORD", "value": "hunter23"})
    found = manifest(replace(SPEC, env={"DB_PASSWORD": "mine-now"}), SETTINGS, replace(LIVE, env=env))
    assert found.job["metadata"]["annotations"]["errand/masked"] == '["API_TOKEN"]'
