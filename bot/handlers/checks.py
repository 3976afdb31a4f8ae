"""Buttons of check runs: what a comment of the same person would do, by the same handlers and rights."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bot import events, messages
from bot.commands import markdown
from bot.errors import AskerError
from bot.handlers.answers import Answers
from bot.handlers.authorization import RequestContext
from bot.handlers.conversation import MAX_COMMANDS, Conversation
from bot.handlers.places import GitHubPlace
from bot.posting import targets
from bot.registry import Registry
from bot.repositories import CodeHost
from bot.states import ActorKind, Cause
from bot.store import Session, Store, checks
from bot.tables import Build, Delivery, Post, Run
from bot.text.names import schedule_key

_BUTTONS: Mapping[str, str] = {
    messages.RERUN: "rerun #{number}",
    messages.LATEST: "rerun #{number} --latest",
    messages.CANCEL: "cancel #{number}",
    messages.APPROVE: "approve #{number}",
    messages.DENY: "deny #{number}",
    messages.RESUME: "resume {schedule}",
}
"""What each button of a run stands for."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """The commands that a button stands for, and the pull request in which the run has its card."""

    lines: tuple[str, ...]
    pull: int | None = None


class CheckHandler:
    """Decides what becomes of a button that somebody pressed."""

    def __init__(
        self,
        registry: Registry,
        host: CodeHost,
        conversation: Conversation,
        answers: Answers,
        store: Store,
    ) -> None:
        self._registry = registry
        self._host = host
        self._conversation = conversation
        self._answers = answers
        self._store = store

    async def handle(self, delivery: Delivery, request: events.CheckRequest) -> None:
        """Who may not costs one question, as with a comment; nothing is looked up before that is answered."""
        config, talk = self._registry.config, self._conversation
        if self._host.github is None or not config.allows(request.repository):
            note = f"{request.repository} may not talk to this installation"
            await talk.end(delivery, "ignored", note)
            return
        if not self._is_ours(request):
            await talk.end(delivery, "ignored", "a check of another App")
            return
        context = _context(delivery, request)
        try:
            context = await talk.admit(context)
        except AskerError as refusal:
            rows = talk.refusals(delivery, context, None, refusal, request.button)
            await talk.refuse(delivery, f"refused {context.actor}: {refusal}", [], rows)
            return
        file = messages.FileCheckName.read(request.external_id or "")
        if file is not None:
            again = await self._store.read(lambda s: _told_again(s, request, file, delivery))
            note = f"{context.actor} has it told again" if again else "no check of a file here"
            await talk.end(delivery, "handled" if again else "ignored", note, again)
            return
        meaning = await self._store.read(lambda s: self._meaning(s, request))
        if not meaning.lines:
            await talk.end(delivery, "ignored", "no check that is told of here asks for that")
            return
        await self._carry_out(delivery, request, context, meaning)

    def _is_ours(self, request: events.CheckRequest) -> bool:
        """Whether the check is of the App that Errand is: by its number or its client id."""
        github = self._registry.config.github
        if github is None or github.app_id is None:
            return False
        app = str(github.app_id)
        comparable = {each for each in request.apps if each.isdecimal() == app.isdecimal()}
        return app in comparable or not (comparable or app.isdecimal())

    def _meaning(self, session: Session, request: events.CheckRequest) -> Meaning:
        word = self._registry.config.command
        if request.external_id is None:
            images = [image.name for image in self._registry.catalog.images_of(request.repository)]
            rows = checks.failed(session, request.repository, images, request.commit)
            return Meaning(tuple(_again(word, row) for row in rows[:MAX_COMMANDS]))
        name = messages.CheckName.read(request.external_id)
        post = None if name is None else checks.find(session, name.noun, name.number, name.nonce)
        if name is None or post is None or post.place["repository"] != request.repository:
            return Meaning(())
        if name.noun == "build":
            build = session.get(Build, name.number)
            again = build is not None and request.button == messages.RERUN
            return Meaning((_again(word, build),) if build is not None and again else ())
        words = _BUTTONS.get(request.button)
        run = session.get(Run, name.number)
        schedule = "" if run is None else schedule_key(run.job, run.schedule)
        line = () if words is None else (f"{word} {words.format(number=name.number, schedule=schedule)}",)
        return Meaning(line, checks.pull_of(session, name.number, request.repository))

    async def _carry_out(
        self, delivery: Delivery, request: events.CheckRequest, context: RequestContext, meaning: Meaning
    ) -> None:
        """As commands of a comment in the pull request where the run is told of, or in none."""
        if meaning.pull is not None:
            pull = await self._host.required.pull(request.repository, meaning.pull)
            place = GitHubPlace(request.repository, meaning.pull, pull, request.public)
            context = replace(context, place=place)
        steps = await self._conversation.prepare(context, [markdown.Line(line) for line in meaning.lines])
        note = f"{context.actor} presses {request.button}"
        await self._conversation.decide(
            delivery,
            context,
            steps,
            lambda texts, failed: self._answers.button(context, texts if failed else []),
            note,
        )


def _told_again(
    session: Session, request: events.CheckRequest, file: messages.FileCheckName, delivery: Delivery
) -> list[Post]:
    """The check of a file once more, a plan made anew: GitHub waits for it since somebody wants it again."""
    post = session.get(Post, file.number)
    if post is None or post.nonce != file.nonce or post.kind not in targets.FILES:
        return []
    if post.place["repository"] != request.repository or request.button != messages.RERUN:
        return []
    return [targets.told_again(post, delivery.key, now=delivery.received_at)]


def _again(word: str, row: Run | Build) -> str:
    if isinstance(row, Build):
        return f"{word} build {row.image} --ref {row.commit}"
    return f"{word} {_BUTTONS[messages.RERUN].format(number=row.identity)}"


def _context(delivery: Delivery, request: events.CheckRequest) -> RequestContext:
    """Who asks; the delivery makes the request unique, since GitHub tells nobody else of these buttons."""
    return RequestContext(
        key=delivery.key,
        cause=Cause.CHECK,
        actor=ActorKind.GITHUB.named(request.sender),
        login=request.sender,
        place=GitHubPlace(request.repository, public=request.public),
    )
