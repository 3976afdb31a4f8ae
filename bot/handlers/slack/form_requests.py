"""By what people ask for a form: a command that lacks something, a button, a menu, a shortcut."""

from collections.abc import Callable
from dataclasses import replace

from bot import messages
from bot.commands import parser
from bot.errors import AskerError, Unfit
from bot.events.slack_facts import SlackAsker, SlackCommand, SlackPress, SlackShortcut, SlackSpot
from bot.handlers.conversation import Press
from bot.handlers.settlement import Settlement
from bot.handlers.slack.form_contents import FormContents
from bot.handlers.slack.form_openings import FormOpener, Opening
from bot.handlers.slack.form_origins import FormOrigin
from bot.handlers.slack.forms import command_line
from bot.handlers.start import StartRequest, values_of
from bot.messages.slack import elements
from bot.messages.slack.actions import Action, Shortcut
from bot.registry import Registry
from bot.tables import Delivery

BUTTONS = frozenset({Action.JOB_RUN, Action.RUN_CHANGE, Action.FORM_JOB, Action.LOGIN})
"""What opens a form, or chooses in one."""


class FormRequests:
    """Has the form opened; `clock` gives epoch seconds."""

    def __init__(
        self,
        registry: Registry,
        contents: FormContents,
        opener: FormOpener,
        settlement: Settlement,
        clock: Callable[[], float],
    ) -> None:
        self._registry = registry
        self._contents = contents
        self._opener = opener
        self._settlement = settlement
        self._clock = clock

    def incomplete(self, line: str) -> parser.Run | None:
        """The command of `line` where nothing is wrong with it but that required parameters are missing."""
        try:
            command = parser.parse(line, self._registry.config.command)
        except AskerError:
            return None
        job = self._registry.catalog.jobs.get(command.name) if isinstance(command, parser.Run) else None
        if job is None or not isinstance(command, parser.Run):
            return None
        try:
            values_of(job, _request(command))
        except Unfit as error:
            missing = {("parameters", name) for name in job.parameters if name not in command.parameters}
            return command if {place for place, _ in error.mistakes} <= missing else None
        return None

    async def command(self, delivery: Delivery, command: SlackCommand, run: parser.Run) -> None:
        """The form of what somebody typed, filled in with that."""
        request, origin = _request(run), FormOrigin.of(command.spot, now=self._clock())
        opening = Opening(
            delivery,
            command.asker,
            command.spot,
            command.trigger,
            self._line(run.name, request),
            run.name,
        )
        await self._opener.open(
            opening, lambda context: self._contents.of_job(context, run.name, request, origin)
        )

    async def login(self, delivery: Delivery, command: SlackCommand) -> None:
        """The link to log in with, for whoever typed that they want to."""
        await self._login(delivery, command.asker, command.spot, command.trigger)

    async def _login(
        self,
        delivery: Delivery,
        asker: SlackAsker,
        spot: SlackSpot | None,
        trigger: str,
        press: Press | None = None,
    ) -> None:
        opening = Opening(
            delivery, asker, spot, trigger, f"{self._registry.config.command} login", press=press
        )
        await self._opener.open(opening, self._contents.of_login)

    async def menu(self, delivery: Delivery, command: SlackCommand) -> None:
        """The form that asks which job, for whoever typed the verb alone."""
        await self._ask(delivery, command.asker, command.spot, command.trigger)

    async def press(self, delivery: Delivery, press: SlackPress, identity: Press) -> None:
        """The form of a job or a run whose button was pressed, or of the job that was chosen in a form.

        A button that names no job asks which.
        """
        if press.action == Action.JOB_RUN and not press.value:
            await self._ask(delivery, press.asker, press.spot, press.trigger, identity)
            return
        if press.action == Action.LOGIN:
            await self._login(delivery, press.asker, press.spot, press.trigger, identity)
            return
        word, origin = self._registry.config.command, FormOrigin.of(press.spot, now=self._clock())
        view, job = None, None
        if press.action == Action.FORM_JOB:
            try:
                origin, view = FormOrigin.read(press.metadata), press.view
            except ValueError:
                await self._settlement.settle(delivery, "ignored", "a menu of no form of ours")
                return
        request = StartRequest()
        if press.action == Action.RUN_CHANGE:
            number = int(press.value) if press.value.isdecimal() and len(press.value) <= 18 else 0
            line = f"{word} rerun #{number} KEY=VALUE"
        else:
            job, request = self._job(press.value)
            line = self._line(job, request)
        opening = Opening(
            delivery, press.asker, press.spot, press.trigger, line, job, view, None if view else identity
        )
        await self._opener.open(
            opening,
            lambda context: (
                self._contents.of_run(context, number, origin)
                if job is None
                else self._contents.of_job(context, job, request, origin)
            ),
        )

    async def shortcut(self, delivery: Delivery, shortcut: SlackShortcut) -> None:
        """The form that asks which job; with that of a message the run is told of below that."""
        if shortcut.callback not in tuple(Shortcut):
            await self._settlement.settle(delivery, "ignored", "a shortcut that is none of ours")
            return
        spot = shortcut.spot
        if spot is not None:
            spot = replace(spot, thread=spot.thread or spot.message)
        await self._ask(delivery, shortcut.asker, spot, shortcut.trigger)

    async def _ask(
        self,
        delivery: Delivery,
        asker: SlackAsker,
        spot: SlackSpot | None,
        trigger: str,
        press: Press | None = None,
    ) -> None:
        origin = FormOrigin.of(spot, now=self._clock())
        line = f"{self._registry.config.command} run NAME"
        opening = Opening(delivery, asker, spot, trigger, line, press=press)
        await self._opener.open(opening, lambda context: self._contents.of_jobs(context, origin))

    def offer(self, line: str, text: str) -> str:
        """A refusal of `line` with a button that opens the form, where only parameters are missing.

        For what brings no trigger, and so opens no form itself.
        """
        command = self.incomplete(line)
        if command is None:
            return text
        full_line = command_line(self._registry.config.command, command.name, _request(command))
        value = full_line.split(maxsplit=2)[2]
        if len(value) > elements.BUTTON_VALUE_CHARACTERS:
            value = command.name
        button = elements.button("Fill in", Action.JOB_RUN, value, style="primary")
        blocks = [elements.section(messages.slack_text(text)), elements.actions(button)]
        return messages.Illustrated(text, blocks)

    def _job(self, value: str) -> tuple[str, StartRequest]:
        """The job that a button names, and what was given to it already, if anything."""
        word = self._registry.config.command
        try:
            command = parser.parse(f"{word} run {value}", word)
        except AskerError:
            return value, StartRequest()
        if not isinstance(command, parser.Run):
            return value, StartRequest()
        return command.name, _request(command)

    def _line(self, name: str, request: StartRequest) -> str:
        """The command that does without the form, with `...` for what is missing."""
        job = self._registry.catalog.jobs.get(name)
        needed = {} if job is None else {key: "..." for key, each in job.parameters.items() if each.required}
        request = replace(request, parameters={**needed, **request.parameters})
        return command_line(self._registry.config.command, name, request)


def _request(command: parser.Run) -> StartRequest:
    values = (command.parameters, command.arguments, command.ref, command.image_tag)
    return StartRequest(*values, command.override, command.at, command.delay)
