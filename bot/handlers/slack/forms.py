"""Forms: opened for whoever may fill them in, and carried out as the command that they stand for."""

from collections.abc import Callable
from dataclasses import replace

from bot import messages
from bot.catalog.catalog import Job
from bot.commands import parser
from bot.errors import AskerError, NotAllowed, RetryLater
from bot.events.slack_facts import SlackForm, SlackSpot
from bot.handlers.actions import Actions
from bot.handlers.answers import Answers
from bot.handlers.authorization import RequestContext
from bot.handlers.conversation import Conversation, Step
from bot.handlers.entries import Entry
from bot.handlers.repetitions import repetition, run_command, tag_of
from bot.handlers.selection import RunReference
from bot.handlers.slack.contexts import SlackContexts
from bot.handlers.slack.entries import read_entry
from bot.handlers.slack.form_origins import FormOrigin
from bot.handlers.start import StartRequest
from bot.messages.slack import forms
from bot.messages.slack.actions import Form
from bot.messages.text import fence
from bot.slack import Slack
from bot.tables import Delivery
from bot.text import units
from bot.text.wording import quoted

LINE_CHARACTERS = 2500
"""Of a command that is told to be typed again."""


class SlackFormHandler:
    """Decides what becomes of a form that somebody submitted; `clock` gives epoch seconds."""

    def __init__(
        self,
        slack: Slack,
        contexts: SlackContexts,
        actions: Actions,
        conversation: Conversation,
        answers: Answers,
        clock: Callable[[], float],
    ) -> None:
        self._slack = slack
        self._contexts = contexts
        self._actions = actions
        self._conversation = conversation
        self._answers = answers
        self._clock = clock

    async def handle(self, delivery: Delivery, form: SlackForm) -> None:
        """Start what it asks for: one run, however often the form is submitted."""
        talk, origin = self._conversation, _origin(form)
        if origin is None:
            await talk.end(delivery, "ignored", "no form of ours, or none that is submitted")
            return
        spot = await self._named(spot_of(form, origin, self._clock()))
        context = await self._contexts.of(f"slack:view:{form.view}", form.asker, spot)
        step, line = await self._step(context, origin, form)

        def extend(texts: list[str]) -> list[str]:
            again = fence([line], limit=LINE_CHARACTERS, line_limit=LINE_CHARACTERS)
            return [*texts, "As a command, to be changed and sent again:", again]

        await talk.decide(
            delivery,
            context,
            [step],
            lambda texts, failed: self._answers.slack(context, extend(texts) if failed and line else texts),
            f"{context.actor} submits a form of {origin.job}",
        )

    async def _named(self, spot: SlackSpot | None) -> SlackSpot | None:
        """A channel that was chosen in the form has an id alone; by its name the job may know it, too."""
        if spot is None or spot.name:
            return spot
        try:
            name = await self._slack.channel_name(spot.channel)
        except RetryLater:
            return spot
        return replace(spot, name=(name or "").removeprefix("#"))

    async def _step(self, context: RequestContext, origin: FormOrigin, form: SlackForm) -> tuple[Step, str]:
        """What the form does, and the command that would say the same."""
        try:
            context = await self._conversation.admit(context, [origin.job])
        except NotAllowed as refusal:
            return Step(refusal, origin.job), ""
        authorization = self._actions.authorization
        job = authorization.catalog(context).jobs.get(origin.job)
        if job is None:
            return Step(AskerError(f"{quoted(origin.job)} was taken away, so nothing was started.")), ""
        image = authorization.catalog(context).images.get(job.image or "")
        entry = read_entry(job, image, form.values)
        word = authorization.first_word(context)
        line = command_line(word, job.name, entry.request)
        if entry.mistakes:
            return Step(_mistaken(job, entry), job.name), line
        command: parser.Command = run_command(job.name, entry.request)
        if origin.rerun_of is not None:
            try:
                old = await self._actions.selection.find(context, RunReference(origin.rerun_of))
            except AskerError as error:
                return Step(error, job.name), line
            command = repetition(job, old, entry.request, tag_of(old, image))
        return await self._conversation.step(context, command, job.name), line


def spot_of(form: SlackForm, origin: FormOrigin, now: float) -> SlackSpot | None:
    """Where the run is told of, and answers go."""
    channel = form.values.get(forms.CHANNEL)
    return origin.spot(channel if isinstance(channel, str) else None, form.response_url, now=now)


def command_line(word: str, job: str, request: StartRequest) -> str:
    """The command that says the same as a form; a value of several lines is left out, since it takes one."""
    values = {name: value if value.isprintable() else "..." for name, value in request.parameters.items()}
    more = start_words(request)
    more += ["--ref", request.ref] if request.ref else []
    more += ["--image", request.image_tag] if request.image_tag else []
    more += ["--override", request.override] if request.override else []
    more += ["--", *request.arguments] if request.arguments else []
    return forms.command_line(word, job, values, more)


def start_words(request: StartRequest) -> list[str]:
    """The words of a command by which a run starts later; none where it starts at once."""
    if request.at is not None:
        return ["at", request.at]
    return [] if request.delay is None else ["in", units.duration_text(request.delay)]


def _origin(form: SlackForm) -> FormOrigin | None:
    if form.callback != Form.RUN:
        return None
    try:
        origin = FormOrigin.read(form.metadata)
    except ValueError:
        return None
    return origin if origin.job else None


def _mistaken(job: Job, entry: Entry) -> AskerError:
    """The job was changed after the door had looked at the form."""
    lines = [f"- {quoted(block)}: {messages.plain(what, 300)}" for block, what in entry.mistakes.items()]
    return AskerError("\n".join([f"{quoted(job.name)} was not started:", *lines]))
