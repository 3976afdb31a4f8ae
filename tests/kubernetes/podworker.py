"""One pod from its binding to its end."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from tests.kubernetes import kinds
from tests.kubernetes.container import START_ERROR, Mount, Program
from tests.kubernetes.images import Image, Images, is_name, refusal
from tests.kubernetes.machine import Machine, Process, Sandbox, StartRefused
from tests.kubernetes.memory import Limits
from tests.kubernetes.nodecache import NodeCache
from tests.kubernetes.objects import Objects
from tests.kubernetes.podlogs import ContainerLog
from tests.kubernetes.podrules import amount
from tests.kubernetes.problems import Object, Problem
from tests.kubernetes.settings import NotMounted, NotYet, User, Volumes, expanded, user_of, variables
from tests.kubernetes.sidecars import Sidecars, in_order
from tests.kubernetes.statuses import ContainerState, PodState, first, status_of
from tests.kubernetes.store import stamp
from tests.kubernetes.telling import Events

_AGAIN = 0.5
"""Seconds after which what a container waits for is looked for again, at first."""
_LONGEST_WAIT = 10.0
_MESSAGE = 4096
_LEAST = 2.0
"""Seconds that a container has after its hook used up the pod's grace."""
_RUNTIME = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create "
    "failed: unable to start container process: "
)
_UNKNOWN = "The container could not be located when the pod was terminated"


@dataclass(frozen=True)
class Node:
    """What a pod needs of the node."""

    objects: Objects
    events: Events
    images: Images
    machine: Machine
    limits: Limits | None
    logs: dict[tuple[str, str], ContainerLog]
    directory: Path
    isolates: bool
    addresses: Iterator[int]
    cache: NodeCache


class PodWorker:
    """Runs one pod."""

    def __init__(self, node: Node, pod: Object) -> None:
        self.pod = pod
        self._node = node
        self._directory = node.directory / "pods" / pod["metadata"]["uid"]
        spec = pod["spec"]
        waits = "PodInitializing" if spec.get("initContainers") else "ContainerCreating"
        self._state = PodState(
            [
                replace(first(item, waits), is_sidecar=item.get("restartPolicy") == "Always")
                for item in spec.get("initContainers") or []
            ],
            [first(item, waits) for item in spec["containers"]],
        )
        self._stopping = asyncio.Event()
        self._grace = 0.0
        self._running: dict[str, Process] = {}
        self._sidecars = Sidecars(self._contain)
        self._sandbox: Sandbox | None = None
        self._seen = node.cache.view(pod["metadata"]["uid"])
        self._volumes = Volumes(self._seen, pod, self._directory)
        self._users: dict[str, User] = {}

    def stop(self, grace: float) -> None:
        """End the pod within `grace` seconds; the shortest that was asked for holds."""
        self._grace = min(self._grace, grace) if self._stopping.is_set() else grace
        self._stopping.set()

    def evict(self) -> None:
        """End the pod as one that the node has no room for."""
        message = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. "
        self._state.evicted = ("Evicted", message)
        self._tell("Evicted", message, warns=True)
        self.stop(0)

    def is_gone(self) -> bool:
        """Whether the pod is no longer an object."""
        metadata = self.pod["metadata"]
        now = self._node.objects.store.find(kinds.POD, metadata["namespace"], metadata["name"])
        return now is None or now["metadata"]["uid"] != metadata["uid"]

    async def run(self) -> None:
        """Run the pod to its end."""
        self._directory.mkdir(parents=True)
        self._report()
        self._sandbox = self._node.machine.sandbox(pauses=bool(self.pod["spec"].get("shareProcessNamespace")))
        living = asyncio.create_task(self._live())
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait([living, stopping], return_when=asyncio.FIRST_COMPLETED)
            if not living.done():
                await self._terminate(living)
            if not living.cancelled():
                living.result()
        finally:
            for task in (living, stopping):
                task.cancel()
            await asyncio.gather(living, stopping, return_exceptions=True)
            await self._sidecars.close()
            self._sandbox.close()
            self._node.cache.release(self._seen.uid)
        self._finish()

    def _finish(self) -> None:
        self._state.ended = True
        self._state.sandbox = False
        self._report()
        metadata = self.pod["metadata"]
        if self._stopping.is_set() and not self._state.evicted:
            with suppress(Problem):
                self._node.objects.delete(
                    kinds.POD,
                    (metadata["namespace"], metadata["name"]),
                    {"gracePeriodSeconds": 0, "preconditions": {"uid": metadata["uid"]}},
                )

    def _report(self) -> None:
        metadata = self.pod["metadata"]
        now = self._node.objects.store.find(kinds.POD, metadata["namespace"], metadata["name"])
        if now is not None and now["metadata"]["uid"] == metadata["uid"]:
            self.pod = self._node.objects.set_status(kinds.POD, now, status_of(now, self._state))

    def _tell(self, reason: str, message: str, *, warns: bool = False, container: str = "") -> None:
        where = f"spec.containers{{{container}}}" if container else ""
        self._node.events.tell("kubelet", self.pod, reason, message, warns=warns, field=where)

    async def _live(self) -> None:
        await self._mount()
        self._state.sandbox = True
        self._state.ip = "10.244.{}.{}".format(*divmod(next(self._node.addresses) % 65536, 256))
        spec = self.pod["spec"]
        for item, state in zip(spec.get("initContainers") or [], self._state.inits, strict=True):
            if state.is_sidecar:
                await self._sidecars.start(item, state)
                continue
            await self._contain(item, state)
            if state.code != 0:
                return
        self._report()
        both = zip(spec["containers"], self._state.containers, strict=True)
        await in_order(self._contain, list(both))
        await self._end_sidecars(float(spec["terminationGracePeriodSeconds"]))

    async def _end_sidecars(self, grace: float) -> None:
        """End them, as nothing else runs any more."""
        self._grace = min(self._grace, grace) if self._stopping.is_set() else grace

        async def stop(item: Object) -> bool:
            if (process := self._running.get(item["name"])) is None:
                return False
            await self._stop_container(item, process)
            return True

        await self._sidecars.end(stop)

    async def _mount(self) -> None:
        wait = _AGAIN
        while True:
            try:
                self._volumes.make()
            except NotMounted as problem:
                self._tell("FailedMount", str(problem), warns=True)
                await asyncio.sleep(wait)
                wait = min(wait * 2, _LONGEST_WAIT)
            else:
                return

    async def _contain(self, item: Object, state: ContainerState, up: asyncio.Event | None = None) -> None:
        """Run one container to its end; `up` is set once it runs."""
        image = await self._image(item, state)
        wait = _AGAIN
        while True:
            try:
                user = user_of(self.pod, item, image)
                env = variables(self._seen, self.pod, item, user)
                break
            except NotYet as problem:
                self._wait_for(state, problem)
                await asyncio.sleep(wait)
                wait = min(wait * 2, _LONGEST_WAIT)
        self._tell("Created", "Container created", container=item["name"])
        state.image_id = image.digest
        state.container_id = f"containerd://{os.urandom(32).hex()}"
        state.user = (user.user, user.group, user.groups)
        await self._execute(item, state, self._program(item, image, user, env), up)

    def _wait_for(self, state: ContainerState, problem: NotYet) -> None:
        state.state = {"waiting": {"reason": problem.reason, "message": problem.message}}
        self._tell("Failed", f"Error: {problem.message}", warns=True, container=state.name)
        self._report()

    async def _image(self, item: Object, state: ContainerState) -> Image:
        name, policy = item["image"], item["imagePullPolicy"]
        wait = _AGAIN
        if not is_name(name):
            words = f'couldn\'t parse image name "{name}": invalid reference format'
            words = f'Failed to apply default image tag "{name}": {words}'
            state.state = {"waiting": {"reason": "InvalidImageName", "message": words}}
            self._tell("InspectFailed", words, warns=True, container=state.name)
            self._report()
            await asyncio.Future()
        while (found := self._node.images.find(name)) is None:
            if policy == "Never":
                words = f'Container image "{name}" is not present with pull policy of Never'
                state.state = {"waiting": {"reason": "ErrImageNeverPull", "message": words}}
                self._tell("ErrImageNeverPull", words, warns=True, container=state.name)
                self._report()
                await asyncio.sleep(_LONGEST_WAIT)
                continue
            words = refusal(name)
            self._tell("Pulling", f'Pulling image "{name}"', container=state.name)
            self._tell("Failed", f'Failed to pull image "{name}": {words}', warns=True, container=state.name)
            self._wait_for(state, NotYet("ErrImagePull", words))
            await asyncio.sleep(wait)
            self._tell("BackOff", f'Back-off pulling image "{name}"', container=state.name)
            words = f'Back-off pulling image "{name}": ErrImagePull: {words}'
            state.state = {"waiting": {"reason": "ImagePullBackOff", "message": words}}
            self._report()
            await asyncio.sleep(_LONGEST_WAIT)
        said = "already present on machine and can be accessed by the pod"
        self._tell("Pulled", f'Container image "{name}" {said}', container=state.name)
        return found

    def _program(self, item: Object, image: Image, user: User, env: dict[str, str]) -> Program:
        command = [expanded(word, env) for word in item.get("command") or image.command]
        if item.get("command") or item.get("args"):
            command += [expanded(word, env) for word in item.get("args") or []]
        context = item.get("securityContext") or {}
        root = self._directory / "root"
        root.mkdir(exist_ok=True)
        message = self._directory / f"message-{item['name']}"
        message.touch()
        message.chmod(0o666)
        hosts = self._directory / "hostname"
        hosts.write_text(self.pod["metadata"]["name"] + "\n")
        mounts = (
            Mount(str(hosts), "/etc/hostname"),
            Mount(str(message), item["terminationMessagePath"]),
            *self._volumes.mounts(item),
        )
        isolates = self._node.isolates
        return Program(
            words=tuple(command),
            env=env,
            host_name=env["HOSTNAME"],
            directory=item.get("workingDir") or "/",
            root=str(root) if isolates else None,
            image=str(image.root) if isolates else None,
            mounts=mounts if isolates else (),
            user=user.user if isolates else os.getuid(),
            group=user.group if isolates else os.getgid(),
            groups=user.groups if isolates else tuple(os.getgroups()),
            read_only=bool(context.get("readOnlyRootFilesystem")),
            drops="ALL" in ((context.get("capabilities") or {}).get("drop") or []),
            gains=context.get("allowPrivilegeEscalation") is not False,
            cgroups=self._groups(item),
        )

    def _groups(self, item: Object) -> tuple[str, ...]:
        limit = (item["resources"].get("limits") or {}).get("memory")
        if limit is None or self._node.limits is None:
            return ()
        group = self._node.limits.make(f"{self.pod['metadata']['uid']}-{item['name']}", int(amount(limit)))
        return () if group is None else (str(group),)

    async def _execute(
        self, item: Object, state: ContainerState, program: Program, up: asyncio.Event | None
    ) -> None:
        sandbox, name = self._sandbox, item["name"]
        assert sandbox is not None
        log = ContainerLog(self._directory / f"{name}-{state.restarts}.log")
        self._node.logs[self.pod["metadata"]["uid"], name] = log
        pipes = {"stdout": os.pipe(), "stderr": os.pipe()}
        keeping = [asyncio.create_task(log.keep(stream, ends[0])) for stream, ends in pipes.items()]
        try:
            process = await sandbox.start(name, program, (pipes["stdout"][1], pipes["stderr"][1]))
        except StartRefused as refused:
            self._refuse(state, str(refused))
            return
        finally:
            for _, writes in pipes.values():
                os.close(writes)
            if not state.container_id:
                log.close()
        began = stamp()
        self._running[name] = process
        state.state = {"running": {"startedAt": began}}
        self._tell("Started", "Container started", container=name)
        self._report()
        if up is not None:
            up.set()
        try:
            code = await asyncio.shield(process.ended)
            await asyncio.gather(*keeping)
        finally:
            for task in keeping:
                task.cancel()
            await asyncio.gather(*keeping, return_exceptions=True)
            log.close()
            del self._running[name]
        self._end(item, state, program, (code, began))

    def _refuse(self, state: ContainerState, words: str) -> None:
        self._tell("Failed", f"Error: {_RUNTIME}{words}", warns=True, container=state.name)
        log = self._node.logs[self.pod["metadata"]["uid"], state.name]
        log.close()
        state.state = {
            "terminated": {
                "exitCode": START_ERROR,
                "reason": "StartError",
                "message": f"{_RUNTIME}{words}",
                "startedAt": "1970-01-01T00:00:00Z",
                "finishedAt": stamp(),
                "containerID": state.container_id,
            }
        }
        self._report()

    def _end(self, item: Object, state: ContainerState, program: Program, ended: tuple[int, str]) -> None:
        code, began = ended
        reason = "Completed" if code == 0 else "Error"
        limits = self._node.limits
        for group in program.cgroups:
            if limits is not None:
                reason = "OOMKilled" if limits.was_reached(Path(group)) else reason
                limits.remove(Path(group))
        terminated = {"exitCode": code, "reason": reason, "startedAt": began, "finishedAt": stamp()}
        message = (
            (self._directory / f"message-{item['name']}").read_bytes()[:_MESSAGE].decode(errors="replace")
        )
        if message:
            terminated["message"] = message
        state.state = {"terminated": terminated | {"containerID": state.container_id}}
        self._report()

    async def _terminate(self, living: "asyncio.Task[None]") -> None:
        """End what runs within the grace, and give up what does not."""
        spec = self.pod["spec"]
        items = {item["name"]: item for item in [*(spec.get("initContainers") or []), *spec["containers"]]}
        if self._running:
            both = [both for both in self._running.items() if both[0] not in self._sidecars.names]
            endings = [self._stop_container(items[name], process) for name, process in both]
            await asyncio.gather(*endings)
            if not endings:  # they were all that ran
                await self._end_sidecars(self._grace)
            await asyncio.wait([living], timeout=_LEAST)
        if not living.done():
            living.cancel()
            await asyncio.gather(living, return_exceptions=True)
        for state in (*self._state.inits, *self._state.containers):
            if state.code is None:
                terminated = {"exitCode": 137, "reason": "ContainerStatusUnknown", "message": _UNKNOWN}
                state.state = {"terminated": terminated | {"startedAt": None, "finishedAt": None}}

    async def _stop_container(self, item: Object, process: Process) -> None:
        sandbox, name = self._sandbox, item["name"]
        assert sandbox is not None
        loop = asyncio.get_running_loop()
        self._tell("Killing", f"Stopping container {name}", container=name)
        until = loop.time() + self._grace
        hook = ((item.get("lifecycle") or {}).get("preStop") or {}).get("exec")
        if hook and self._grace > 0:
            running = asyncio.create_task(
                sandbox.execute(name, tuple(hook["command"]), {"PATH": ""} | self._env(item))
            )
            await asyncio.wait(
                [running, process.ended], timeout=self._grace, return_when=asyncio.FIRST_COMPLETED
            )
            if not running.done() or running.result() != 0:
                self._tell("FailedPreStopHook", "PreStopHook failed", warns=True, container=name)
            until = max(until, loop.time() + _LEAST)
        if not process.ended.done():
            sandbox.signal(name, signal.SIGTERM)
            while not process.ended.done() and loop.time() < min(until, loop.time() + self._grace):
                await asyncio.wait([process.ended], timeout=min(0.05, max(0.0, until - loop.time())))
        if not process.ended.done():
            sandbox.signal(name, signal.SIGKILL)
            await asyncio.wait([process.ended])

    def _env(self, item: Object) -> dict[str, str]:
        image = self._node.images.find(item["image"])
        assert image is not None
        return variables(self._seen, self.pod, item, user_of(self.pod, item, image))
