"""The container beside a job that tells what it reports."""

from dataclasses import replace

from tests.executor.kubernetes.objects.test_manifests import (
    LIVE,
    REPORTING,
    SETTINGS,
    SPEC,
    expanded,
    made,
    manifest,
    whole,
)


def test_what_a_job_reports_is_told_by_a_container_of_its_own_image() -> None:
    found = made(memory=1 << 30, read_only=True)
    ours, beside = whole(found)["containers"]
    env = {one["name"]: one["value"] for one in ours["env"] if one["name"] in REPORTING}
    assert env == {name: f"/run/errand/{name.removeprefix('ERRAND_').lower()}" for name in REPORTING}
    volume = {"name": "errand-report", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}
    assert volume in whole(found)["volumes"]
    assert (beside["name"], beside["image"]) == ("errand-report", ours["image"])
    assert beside["volumeMounts"] == [{"name": "errand-report", "mountPath": "/run/errand", "readOnly": True}]
    assert beside["resources"] == {"requests": {"memory": "32Mi"}, "limits": {"memory": "32Mi"}}
    security = {**ours["securityContext"], "readOnlyRootFilesystem": True}
    assert beside["securityContext"] == security
    assert "env" not in beside
    assert expanded(beside["command"][2]).startswith("# Tells in its log")


def test_job_whose_processes_nobody_else_sees_reports_nothing() -> None:
    found = made(replace(SETTINGS, pod={"shareProcessNamespace": False}))
    (ours,) = whole(found)["containers"]
    assert {one["value"] for one in ours["env"] if one["name"] in REPORTING} == {"/dev/null"}
    assert not any(volume["name"] == "errand-report" for volume in whole(found)["volumes"])


def test_workload_cannot_say_where_a_job_reports() -> None:
    mine = {"name": "ERRAND_SUMMARY", "value": "/etc/passwd"}
    found = manifest(replace(SPEC, image=None), SETTINGS, replace(LIVE, env=(*LIVE.env, mine)))
    ours = whole(found)["containers"][0]
    assert [one["value"] for one in ours["env"] if one["name"] == "ERRAND_SUMMARY"] == ["/run/errand/summary"]


def test_container_that_tells_what_a_job_reports_is_configured_as_others_are() -> None:
    wanted = {"requests": {"memory": "64Mi"}}
    found = made(replace(SETTINGS, pod={"containers": [{"name": "errand-report", "resources": wanted}]}))
    assert [one["name"] for one in whole(found)["containers"]] == ["job", "errand-report"]
    assert whole(found)["containers"][1]["resources"] == wanted
