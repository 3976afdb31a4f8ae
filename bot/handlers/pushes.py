"""What a push starts: builds of the images whose filters let it through, and the jobs that say `on: [push]`.

Nobody's permission is asked: whoever runs the installation wrote down what a push starts. What each filter
said is kept in the delivery's note, where `why` finds it.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from bot.catalog.images import Image
from bot.context import Context
from bot.errors import AskerError
from bot.events import Push
from bot.handlers import push_filters
from bot.handlers.authorization import RequestContext
from bot.handlers.enqueuing import Enqueuer
from bot.handlers.orders import Order, Source, Target
from bot.states import State
from bot.store import Session, builds, image_tags, pushes
from bot.tables import Delivery, PushSeen

NOTHING = {
    "older": "a newer push was decided first",
    "same": "this push was decided before",
}
"""Why a push builds nothing that is older than what its branch is at, or that was sent twice."""


def headline(repository: str, ref: str) -> str:
    """How the note of every push to `ref` begins."""
    return f"push of {repository}@{ref} "


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a push. `note` may be read once `effect` was carried out.

    `concerns`: an image is built from its repository, whatever the filters said. `refused`, likewise
    afterwards: whether a job could not be started.
    """

    concerns: bool
    effect: Callable[[Session], None]
    note: Callable[[], str]
    refused: Callable[[], bool] = lambda: False


class PushHandler:
    """Decides about pushes."""

    def __init__(self, tools: Context, starting: Enqueuer) -> None:
        self._tools = tools
        self._starting = starting

    def decide(self, delivery: Delivery, push: Push) -> Decision:
        """What the filters say; takes a while for many paths, so call it in a thread."""
        tools = self._tools
        head = f"{headline(push.repository, push.ref)}{push.commit[:12]}: "
        images = tools.registry.catalog.images_of(push.repository)
        if not tools.config.allows(push.repository):
            return _nothing(f"{head}the repository may not talk to this installation")
        if push.deleted:
            return self._remembered(delivery, push, f"{push.whole_ref} was deleted", known=bool(images))
        verdicts = {image.name: push_filters.decide(image.build, push) for image in images if image.build}
        told = {name: verdict.why for name, verdict in verdicts.items()}
        wanted = [image for image in images if image.name in verdicts and verdicts[image.name].wanted]
        if not wanted:
            nothing = _note(f"{head}no image is built from it", told, set())
            return self._remembered(delivery, push, nothing, known=bool(images))
        started: dict[str, str] = {}

        def effect(session: Session) -> None:
            started.clear()
            row = _seen(delivery, push, tools.clock())
            order = pushes.place(session, row)
            if order in NOTHING:
                started.update(dict.fromkeys((image.name for image in wanted), NOTHING[order]))
                return
            key = _key(row, again=order == "again")
            self._start(session, key, push, wanted, started)

        def note() -> str:
            names = [image.name for image in wanted if started.get(image.name) not in NOTHING.values()]
            rebuilt = f"rebuilds {', '.join(names)}" if names else "rebuilds nothing any more"
            return _note(head + rebuilt, told | started, set(names))

        def refused() -> bool:
            return any(name.startswith("job ") for name in started)

        return Decision(True, effect, note, refused)

    def _remembered(self, delivery: Delivery, push: Push, note: str, *, known: bool) -> Decision:
        """Nothing is started; where images are built from the repository, by older ones neither."""
        now = self._tools.clock()

        def effect(session: Session) -> None:
            if known:
                pushes.place(session, _seen(delivery, push, now))

        return Decision(known, effect, lambda: note)

    def _start(
        self, session: Session, key: str, push: Push, wanted: list[Image], told: dict[str, str]
    ) -> None:
        """Enqueue the builds and what follows them; `told` gets what could not be started, by job."""
        asked = RequestContext(key=key, cause="push", actor=f"github:{push.sender}", login=push.sender)
        catalog, now = self._tools.registry.catalog, self._tools.clock()
        index = 0
        for image in wanted:
            target = Target(push.repository, push.public, Source(image, push.commit, push.ref))
            build = self._starting.need_build(session, asked, target)
            if not push.tag:
                builds.supersede(session, build, ref=push.ref, now=now)
            if not push.tag and push.name == push.default_branch:
                image_tags.pushed(session, image.name, push.commit)
                if build.state == State.FINISHED:  # built before, as for a commit that came back
                    image_tags.built(session, image.name, push.commit)
            for job in catalog.jobs_of_image(image.name):
                if "push" not in job.on:
                    continue
                try:
                    order = Order(asked, index, job, target, job.resolve({}))
                    self._starting.enqueue(session, order)
                except AskerError as refusal:
                    told[f"job {job.name}"] = str(refusal).replace("\n", " ")
                index += 1


def _seen(delivery: Delivery, push: Push, now: float) -> PushSeen:
    """The push as it is stored."""
    return PushSeen(
        repository=push.repository.casefold() if push.number is None else str(push.number),
        ref=push.whole_ref,
        before=push.before,
        after=push.after,
        pushed_at=push.pushed_at,
        delivery_id=delivery.identity,
        decided_at=now,
    )


def _key(row: PushSeen, *, again: bool) -> str:
    """By which everything that the push starts is known; a branch that came back has another each time."""
    parts = [row.repository, row.ref, row.before, row.after, str(row.pushed_at) if again else ""]
    return "push:" + hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _nothing(note: str) -> Decision:
    return Decision(False, lambda session: None, lambda: note)


def _note(head: str, told: dict[str, str], built: set[str]) -> str:
    """The headline, and a line for each image, and for each job that could not be started."""
    lines = [head]
    for name, why in told.items():
        if name.startswith("job "):
            lines.append(f"{name}: not started: {why}")
        else:
            lines.append(f"image {name}: {'built' if name in built else 'not built'}: {why}")
    return "\n".join(lines)
