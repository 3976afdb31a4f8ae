"""What is known of the Jobs and pods of ours: three watches for each namespace, and nothing asked besides."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Generic, TypeVar

from executor.errors import EngineUnavailable
from executor.kubernetes.client import Client, Object
from executor.kubernetes.refusals import Refused
from executor.kubernetes.resources import EVENTS, JOBS, PODS, SELECTOR
from executor.kubernetes.watching import states
from executor.kubernetes.watching.states import Event, Job, Pod
from executor.kubernetes.watching.watch import Watch

_NAMES, _EVENTS = 2000, 5
"""Objects of which events are remembered, and how many of each: those that were told last."""

_SETTLES = 5.0
"""Seconds in which the nodes tell what happened while the server did not answer."""

Heard = Callable[[str, str], None]
"""Is told the namespace of what changed, and the name of the Job that it is about."""

_T = TypeVar("_T", bound=Job | Pod)


class ObjectIndex(Generic[_T]):
    """All objects of one kind in one namespace, by the name of the Job that they are or belong to."""

    def __init__(
        self, read: Callable[[Object], _T], owner: Callable[[_T], str], heard: Callable[[str], None]
    ) -> None:
        self._read = read
        self._owner = owner
        self._heard = heard
        self._all: dict[str, dict[str, _T]] = {}
        self._put: set[str] = set()  # since the list that is being asked for was

    def __iter__(self) -> Iterator[_T]:
        for ours in list(self._all.values()):
            yield from list(ours.values())

    def of(self, owner: str) -> list[_T]:
        """Give those of one Job, the first one first."""
        return sorted(self._all.get(owner, {}).values(), key=lambda one: (one.created_at, one.name))

    def put(self, one: _T) -> None:
        """Remember what was just made, of which the watch has not told yet."""
        self._put.add(one.name)
        self._all.setdefault(self._owner(one), {}).setdefault(one.name, one)

    def asking(self) -> None:
        """A list is being asked for; what is put from now on may not be in it."""
        self._put.clear()

    def listed(self, objects: list[Object]) -> None:
        """Forget what is not there any more, and take what is."""
        found = [one for one in map(self._parsed, objects) if one is not None]
        names = {one.name for one in found} | self._put
        for one in list(self):
            if one.name not in names:
                self._drop(one)
        for one in found:
            self._take(one)

    def changed(self, item: Object) -> None:
        """Take what is new or another now."""
        one = self._parsed(item)
        if one is not None:
            self._take(one)

    def deleted(self, item: Object) -> None:
        """Forget what is gone."""
        one = self._parsed(item)
        if one is not None:
            self._drop(one)

    def _parsed(self, item: Object) -> _T | None:
        try:
            return self._read(item)
        except (KeyError, TypeError, ValueError, AttributeError):
            return None

    def _take(self, one: _T) -> None:
        owner = self._owner(one)
        ours = self._all.setdefault(owner, {})
        if ours.get(one.name) != one:
            ours[one.name] = one
            self._heard(owner)

    def _drop(self, one: _T) -> None:
        owner = self._owner(one)
        ours = self._all.get(owner, {})
        ours.pop(one.name, None)
        if not ours:
            self._all.pop(owner, None)
        self._heard(owner)


class WarningIndex:
    """The warnings of one namespace, by the name of the object that they are about."""

    def __init__(self, heard: Callable[[str], None]) -> None:
        self._heard = heard
        self._all: OrderedDict[str, list[Event]] = OrderedDict()

    def of(self, name: str) -> list[Event]:
        """Give what was told of one object, the latest last."""
        return self._all.get(name, [])

    def asking(self) -> None:
        """A list is being asked for."""

    def listed(self, objects: list[Object]) -> None:
        """Take them in the order in which they were told last."""
        for item in sorted(objects, key=_when):
            self.changed(item)

    def changed(self, item: Object) -> None:
        """Take one, which may be an old one that happened again."""
        try:
            event = states.event(item)
        except (KeyError, TypeError, AttributeError):
            return
        if event.kind not in (JOBS.kind, PODS.kind):
            return
        ours = [one for one in self._all.pop(event.about, []) if one != event]
        self._all[event.about] = [*ours, event][-_EVENTS:]
        if len(self._all) > _NAMES:
            self._all.popitem(last=False)
        owner = event.about if event.kind == JOBS.kind else event.about.rpartition("-")[0]
        self._heard(owner)

    def deleted(self, item: Object) -> None:
        """An event is forgotten by the server after an hour; what it said stays true."""


def _when(item: Object) -> str:
    return str(item.get("lastTimestamp") or item.get("eventTime") or "")


class NamespaceView:
    """One namespace as it is watched."""

    def __init__(self, client: Client, namespace: str, heard: Heard) -> None:
        def about(owner: str) -> None:
            heard(namespace, owner)

        self.client = client
        self.namespace = namespace
        self.jobs = ObjectIndex[Job](states.job, lambda job: job.name, about)
        self.pods = ObjectIndex[Pod](states.pod, lambda pod: pod.label, about)
        self.events = WarningIndex(about)
        ours = {"labelSelector": SELECTOR}
        self._needed = [
            Watch(client, JOBS, namespace, ours, self.jobs),
            Watch(client, PODS, namespace, ours, self.pods),
        ]
        # Events only say more: nothing waits for them.
        self._watches = [
            *self._needed,
            Watch(client, EVENTS, namespace, {"fieldSelector": "type=Warning"}, self.events),
        ]

    async def ready(self) -> None:
        """Wait until all that there was is known; raises EngineUnavailable."""
        for watch in self._needed:
            if not watch.listed.is_set():
                await watch.ready()

    async def close(self) -> None:
        """Stop watching."""
        await asyncio.gather(*(watch.close() for watch in self._watches))

    def is_current(self) -> bool:
        """Whether what is known can be acted upon: the server answers, and had time to tell what changed."""
        now = asyncio.get_running_loop().time()
        return all(watch.since is not None and now >= watch.since + _SETTLES for watch in self._needed)

    def job(self, name: str) -> Job | None:
        """Give the Job of that name."""
        return next(iter(self.jobs.of(name)), None)

    def pod(self, name: str) -> Pod | None:
        """Give the pod of the Job of that name: the first one, should there be several."""
        return next(iter(self.pods.of(name)), None)

    async def ask(self, name: str) -> Job | None:
        """Give the Job as the server has it, of which the watch may be behind; raises EngineUnavailable."""
        try:
            return states.job(await self.client.get(JOBS, self.namespace, name))
        except Refused as refused:
            if refused.status != HTTPStatus.NOT_FOUND:
                raise EngineUnavailable(f"a Job could not be read: {refused.message}") from refused
            return None

    def warnings(self, name: str, pod: Pod | None) -> list[Event]:
        """Give the warnings about a Job and its pod."""
        return [*self.events.of(name), *(self.events.of(pod.name) if pod is not None else ())]


class Cluster:
    """All namespaces that are watched."""

    def __init__(self, client: Client, heard: Heard) -> None:
        self.client = client
        self._heard = heard
        self._spaces: dict[str, NamespaceView] = {}

    def enter(self, namespaces: Iterable[str]) -> None:
        """Watch these, too."""
        for namespace in namespaces:
            if namespace not in self._spaces:
                self._spaces[namespace] = NamespaceView(self.client, namespace, self._heard)

    async def space(self, namespace: str) -> NamespaceView:
        """Give a namespace once all that there was in it is known; raises EngineUnavailable."""
        self.enter([namespace])
        space = self._spaces[namespace]
        await space.ready()
        return space

    async def find(self, name: str) -> NamespaceView | None:
        """Give the watched namespace where there is a Job, or a pod of one, of that name."""
        for space in list(self._spaces.values()):
            await space.ready()
            if space.job(name) is not None or space.pod(name) is not None:
                return space
        return None

    async def spaces(self) -> list[NamespaceView]:
        """Give all; raises EngineUnavailable."""
        return [await self.space(namespace) for namespace in list(self._spaces)]

    async def close(self) -> None:
        """Stop watching."""
        await asyncio.gather(*(space.close() for space in self._spaces.values()))
