"""What the Kubernetes engine makes of an API server and of nodes that do not do what they should.

On our own server alone: no other can be broken in these ways from outside.
"""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from demo.watched import PATIENCE
from executor.errors import EngineUnavailable
from executor.kubernetes.controller.following import MISSING
from executor.spec import Outcome, Pending, Reference, Result, RunSpec, Started
from tests.contract.cases import KubernetesCase, ended, open_kubernetes_case, seen, sh, started, text
from tests.kubernetes.asking import state
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.serving import Server

pytestmark = pytest.mark.kubernetes

LINES = 200
SCRIPT = f"i=0; while [ $i -lt {LINES} ]; do i=$((i+1)); echo line $i; sleep 0.002; done; exit 4"
WRITTEN = "".join(f"line {number}\n" for number in range(1, LINES + 1))


@pytest.fixture
def server(cluster: Cluster) -> Server:
    if cluster.server is None:
        pytest.skip("only our own server can be broken")
    return cluster.server


async def broken(server: Server, do: str, **how: Any) -> None:
    await asyncio.to_thread(server.break_, do, **how)


async def exact(case: KubernetesCase, key: str, running: "asyncio.Task[Outcome]") -> None:
    """What was written is all there, once, in its order, and the end is the job's own."""
    outcome = await running
    assert (outcome.result, outcome.exit_code) == (Result.FAILED, 4)
    assert await text(case.logs, key) == WRITTEN


@pytest.mark.parametrize(
    ("do", "how"),
    [
        ("cut_logs", {"after": [137, 500, 999]}),
        ("drop_logs", {}),
        ("drop_watches", {}),
        ("forget", {}),
        ("forget", {"as_status": True}),
        ("slow_logs", {"seconds": 0.02}),
    ],
)
async def test_no_line_is_lost_or_doubled_whatever_breaks(
    kubernetes_case: KubernetesCase, server: Server, do: str, how: dict[str, Any], key: str
) -> None:
    case, keys = kubernetes_case, [f"{key}-{number}" for number in range(5)]
    if do == "cut_logs":
        await broken(server, do, after=how["after"] * len(keys))
    runs = [asyncio.create_task(ended(case.engine.run(sh(key, SCRIPT, image=case.base)))) for key in keys]
    for key in keys:
        await seen(case.logs, key, b"line 20\n")
    if do == "slow_logs":
        await broken(server, do, **how)
    elif do != "cut_logs":
        for _ in range(3):
            await broken(server, do, **how)
            await broken(server, "drop_watches")
    try:
        for key, run in zip(keys, runs, strict=True):
            await exact(case, key, run)
    finally:
        await broken(server, "slow_logs", seconds=0)


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429, "retry_after": "0"},
        {"status": 429, "retry_after": "1"},
        {"status": 500},
        {"status": 504, "html": True},
    ],
)
@pytest.mark.parametrize(("verb", "resource"), [("create", "jobs"), ("get", "pods/log")])
async def test_run_goes_on_after_an_answer_that_says_nothing(
    kubernetes_case: KubernetesCase, server: Server, fault: dict[str, Any], verb: str, resource: str, key: str
) -> None:
    case = kubernetes_case
    await broken(server, "answer", verb=verb, resource=resource, **fault)
    spec = sh(key, SCRIPT, image=case.base)
    await exact(case, key, asyncio.create_task(ended_at_last(case, spec)))


async def ended_at_last(case: KubernetesCase, spec: RunSpec) -> Outcome:
    """Ask again as a worker does, as long as the engine says that it does not know."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await ended(case.engine.run(spec))
            except EngineUnavailable as unavailable:
                await asyncio.sleep(min(unavailable.delay, 1.0))


async def test_right_that_was_there_a_moment_ago_is_asked_for_again(
    kubernetes_case: KubernetesCase, cluster: Cluster, server: Server, key: str
) -> None:
    secret = {"metadata": {"name": "token"}, "stringData": {"token": "hunter2-hunter2"}}
    await asyncio.to_thread(cluster.ask, "POST", "secrets", secret)
    case, references = kubernetes_case, {"TOKEN": Reference("secret", "token", "token")}
    specs = [
        sh(f"{key}-{number}", "echo $TOKEN", image=case.base, references=references) for number in (1, 2)
    ]
    assert (await ended(case.engine.run(specs[0]))).result is Result.SUCCEEDED
    for verb, resource, status in (("get", "secrets", 403), ("create", "jobs", 403), ("create", "jobs", 401)):
        message = f'User "errand" cannot {verb} resource "{resource}"' if status == 403 else "Unauthorized"
        await broken(server, "answer", verb=verb, resource=resource, status=status, message=message)
    said = [item async for item in case.engine.run(specs[1])]
    waited = [item.reason for item in said if isinstance(item, Pending)]
    assert any("The Secret token cannot be read" in reason for reason in waited)
    assert any('cannot create resource "jobs"' in reason for reason in waited)
    assert [item.result for item in said if isinstance(item, Outcome)] == [Result.SUCCEEDED]
    assert await text(case.logs, f"{key}-2") == "***\n"


async def test_list_that_fails_is_asked_for_again(
    kubernetes_case: KubernetesCase, server: Server, key: str
) -> None:
    case = kubernetes_case
    running = asyncio.create_task(ended_at_last(case, sh(key, SCRIPT, image=case.base)))
    await seen(case.logs, key, b"line 20\n")
    await broken(server, "count")
    await broken(server, "answer", verb="list", resource="pods", status=500)
    await broken(server, "forget")
    await broken(server, "drop_watches")
    await exact(case, key, running)
    async with asyncio.timeout(PATIENCE):
        while (await asyncio.to_thread(server.figures))["requests"].get("list pods", 0) < 2:  # noqa: ASYNC110  # it tells nobody
            await asyncio.sleep(0.05)


async def test_server_that_is_away_for_seconds_costs_no_line(
    kubernetes_case: KubernetesCase, server: Server, key: str
) -> None:
    case = kubernetes_case
    running = asyncio.create_task(ended_at_last(case, sh(key, SCRIPT, image=case.base)))
    await seen(case.logs, key, b"line 20\n")
    await broken(server, "away", seconds=2.0)
    await exact(case, key, running)


async def test_stop_that_waits_for_the_server_says_so_until_it_went_through(
    kubernetes_case: KubernetesCase, server: Server
) -> None:
    case = kubernetes_case
    progress = case.engine.run(sh("stop-waits", "sleep 60", image=case.base))
    await started(progress)
    await broken(server, "answer", verb="patch", resource="jobs", status=500)
    await case.engine.stop("stop-waits")
    async with asyncio.timeout(PATIENCE):
        waits, goes_on, outcome = [item async for item in progress]
    assert isinstance(waits, Pending)
    assert "It is stopped as soon as the API server takes that: " in waits.reason
    assert isinstance(goes_on, Started)
    assert isinstance(outcome, Outcome)
    assert outcome.result is Result.CANCELLED


@pytest.mark.parametrize("script", ["sleep 60", "trap 'exit 0' TERM; while :; do sleep 0.02; done"])
async def test_run_was_stopped_also_where_the_end_of_its_pod_is_seen_before_the_job_says_so(
    kubernetes_case: KubernetesCase, server: Server, script: str, key: str
) -> None:
    case = kubernetes_case
    progress = case.engine.run(sh(key, script, image=case.base))
    await started(progress)
    await broken(server, "hold_watches", resource="jobs")
    try:
        await case.engine.stop(key)
        async with asyncio.timeout(PATIENCE):
            outcome = await ended(progress)
    finally:
        await broken(server, "release_watches", resource="jobs")
    assert (outcome.result, outcome.reason) == (Result.CANCELLED, None)


async def test_pod_that_its_node_evicts_is_an_error_with_the_words_of_the_node(
    kubernetes_case: KubernetesCase, cluster: Cluster, server: Server, key: str
) -> None:
    case = kubernetes_case
    progress = case.engine.run(sh(key, "sleep 60", image=case.base))
    async for item in progress:
        if isinstance(item, Started):
            break
    pods = await asyncio.to_thread(cluster.get, f"pods?labelSelector=job-name%3D{key}")
    name = pods["items"][0]["metadata"]["name"]
    await broken(server, "evict", namespace=cluster.namespace, name=name)
    outcome = await ended(progress)
    assert (outcome.result, outcome.reason) == (Result.ERROR, "Evicted")
    assert "low on resource: memory" in str(outcome.message)


async def test_run_that_had_ended_before_its_node_evicted_the_pod_ended_by_itself(
    kubernetes_case: KubernetesCase, cluster: Cluster, server: Server, key: str
) -> None:
    case = kubernetes_case
    script = "trap '' TERM; while :; do sleep 0.1; done"  # so that the pod outlives the job
    lasting = {"name": "mesh", "image": case.base, "restartPolicy": "Always", "command": ["sh", "-c", script]}
    settings = replace(case.settings, pod={"initContainers": [lasting]})
    other = await open_kubernetes_case(case.directory / "other", settings, case.base)
    spec = sh(key, "exit 7", image=case.base, grace=30.0)
    await started(other.engine.run(spec))
    await other.engine.close()
    name = (await asyncio.to_thread(cluster.pod_of, key))["metadata"]["name"]
    await asyncio.to_thread(cluster.wait_for, f"pods/{name}", lambda pod: "terminated" in state(pod))
    await asyncio.sleep(1.0)  # times of objects are whole seconds
    await broken(server, "evict", namespace=cluster.namespace, name=name)
    evicted = await asyncio.to_thread(
        cluster.wait_for, f"pods/{name}", lambda pod: pod["status"].get("reason") == "Evicted"
    )
    assert "TerminationByKubelet" in [one.get("reason") for one in evicted["status"]["conditions"]]
    outcome = await ended(case.engine.run(spec))
    assert (outcome.result, outcome.exit_code, outcome.reason) == (Result.FAILED, 7, None)


@pytest.mark.parametrize("is_cut", [False, True])
async def test_log_that_its_node_rotated_is_whole_unless_its_stream_was_cut(
    kubernetes_case: KubernetesCase, cluster: Cluster, server: Server, is_cut: bool, key: str
) -> None:
    case, script = kubernetes_case, "trap 'exit 4' TERM; echo one; echo two; sleep 60 & wait"
    running = asyncio.create_task(ended_at_last(case, sh(key, script, image=case.base)))
    await seen(case.logs, key, b"two\n")
    pod = await asyncio.to_thread(cluster.pod_of, key)
    await broken(server, "rotate", namespace=cluster.namespace, name=pod["metadata"]["name"])
    if is_cut:
        await broken(server, "drop_logs")
    await case.engine.stop(key)
    assert (await running).exit_code == 4
    assert await text(case.logs, key) == "one\ntwo\n" + (f"{MISSING}\n" if is_cut else "")


async def test_runs_share_one_watch_a_kind(kubernetes_case: KubernetesCase, server: Server, key: str) -> None:
    case = kubernetes_case
    specs = [sh(f"{key}-{number}", "read line; sleep 0.2", image=case.base) for number in range(10)]
    outcomes = asyncio.gather(*(ended(case.engine.run(spec)) for spec in specs))
    await asyncio.sleep(0)
    await outcomes
    assert (await asyncio.to_thread(server.figures))["watches"] == 3


async def test_stop_is_known_also_elsewhere_before_the_watch_of_jobs_tells_of_it(
    kubernetes_case: KubernetesCase, server: Server, key: str
) -> None:
    settings = replace(kubernetes_case.settings, pod={"nodeSelector": {"disk": "gold"}})
    here = await open_kubernetes_case(kubernetes_case.directory, settings, kubernetes_case.base)
    elsewhere = await open_kubernetes_case(kubernetes_case.directory, settings, kubernetes_case.base)
    try:
        spec = sh(key, "true", image=here.base)
        stories = [case.engine.run(spec) for case in (here, elsewhere)]
        for story in stories:
            assert isinstance(await anext(story), Pending)  # so there is a pod, and it does not start
        await broken(server, "hold_watches", resource="jobs")
        try:
            await here.engine.stop(key)
            async with asyncio.timeout(PATIENCE):
                assert [(await ended(story)).result for story in stories] == [Result.CANCELLED] * 2
        finally:
            await broken(server, "release_watches", resource="jobs")
    finally:
        await here.engine.close()
        await elsewhere.engine.close()
