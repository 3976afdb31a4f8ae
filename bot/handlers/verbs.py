"""The door of comments, Slack and `errand chat`: each verb becomes an effect for one transaction.

What needs the network is asked first. Effects run on the writer's thread together with those of the other
commands of the same delivery, so all of them happen or none. An effect returns the words to reply, or None
where a card says it all.
"""

from collections.abc import Callable

from bot import messages
from bot.commands import grammar, parser
from bot.errors import AskerError
from bot.handlers.actions import Actions
from bot.handlers.approvals import Answer
from bot.handlers.authorization import RequestContext
from bot.handlers.orders import Order
from bot.handlers.places import SlackPlace
from bot.handlers.rerun import RerunRequest
from bot.handlers.selection import RunReference
from bot.handlers.start import StartRequest
from bot.handlers.status import LogHandler, StatusHandler
from bot.posting.audience import outward
from bot.states import State
from bot.store import Session

Effect = Callable[[Session], str | None]
"""Given the transaction; gives the reply's text (Markdown) or None."""


class CommandHandlers:
    """The verbs, one method each where the words of the answer are the chat's own."""

    def __init__(self, actions: Actions, statuses: StatusHandler, logs: LogHandler) -> None:
        self._actions = actions
        self._statuses = statuses
        self._logs = logs

    async def of(self, context: RequestContext, command: parser.Command, index: int) -> Effect:
        """The effect of one command; raises `AskerError` where there can be none, `RetryLater` for now.

        `index` is the command's place in its comment, which makes it unique there.
        """
        actions = self._actions
        match command:
            case parser.Run():
                return await self._run(context, command, index)
            case parser.Rerun():
                return await self._rerun(context, command, index)
            case parser.Cancel():
                return await self._cancel(context, command)
            case parser.Status():
                return await self._statuses.status(context, command)
            case parser.Logs():
                return _saying(await self._logs.tail(context, command.number))
            case parser.Approve():
                if command.sha is not None:
                    return await actions.forks.approve(context, command.sha)
                return _answered(await actions.approvals.approve(context, command.number or 0))
            case parser.Deny():
                return _answered(await actions.approvals.deny(context, command.number, command.why))
            case parser.Lock():
                return await actions.locks.lock(context, command)
            case parser.Unlock():
                return await actions.locks.unlock(context, command)
            case parser.Freeze():
                return _answer(await actions.freezes.freeze(context, command))
            case parser.Thaw():
                return await actions.freezes.thaw(context, command)
            case parser.Pause():
                return await actions.pauses.pause(context, command)
            case parser.PauseAll():
                return await actions.pauses.pause_all(context, command)
            case parser.ResumeAll():
                return await actions.pauses.resume_all(context, command)
            case parser.Resume():
                return await actions.pauses.resume(context, command)
            case parser.Skip():
                return await actions.pauses.skip(context, command)
            case parser.Backfill():
                return await self._backfill(context, command)
            case parser.Plan():
                return await actions.plans.plan(context, command)
            case parser.Why():
                return await actions.reasons.why(context, command)
            case parser.Build():
                return await self._build(context, command)
            case parser.List():
                return _saying(self._list(context, command.page))
            case parser.Login():
                raise AskerError(messages.login_elsewhere(actions.authorization.first_word(context)))
            case parser.Help():
                return _saying(self._help(context, command))

    async def _run(self, context: RequestContext, command: parser.Run, index: int) -> Effect:
        request = StartRequest(
            command.parameters,
            command.arguments,
            command.ref,
            command.image_tag,
            command.override,
            command.at,
            command.delay,
        )
        return self._start(await self._actions.starts.order(context, command.name, request, index))

    async def _rerun(self, context: RequestContext, command: parser.Rerun, index: int) -> Effect:
        old = await self._actions.selection.find(context, RunReference(command.number, command.name))
        request = RerunRequest(command.parameters, command.latest, command.override)
        return self._start(await self._actions.reruns.order(context, old, request, index))

    def _start(self, order: Order) -> Effect:
        """In a pull request the card says it; in Slack the card may be in a channel that Errand is not in."""

        def effect(session: Session) -> str | None:
            run = self._actions.enqueuer.enqueue(session, order)
            word = self._actions.authorization.first_word(order.context)
            if order.later is not None:
                later = messages.starts_later(run, order.later.clocks.shown(order.later.at), command=word)
                return _joined(later, order.target.note)
            return _joined(messages.started(run) if order.context.chat else None, order.target.note)

        return effect

    async def _backfill(self, context: RequestContext, command: parser.Backfill) -> Effect:
        storing = await self._actions.backfills.backfill(context, command)
        return lambda session: storing(session).text

    async def _build(self, context: RequestContext, command: parser.Build) -> Effect:
        building = await self._actions.builds.build(context, command)

        def effect(session: Session) -> str | None:
            order = building(session)
            if context.chat or order.build.state == State.FINISHED:
                return order.answer
            return order.note  # the card says the rest

        return effect

    async def _cancel(self, context: RequestContext, command: parser.Cancel) -> Effect:
        stopping = await self._actions.cancels.cancel(context, RunReference(command.number, command.name))

        def effect(session: Session) -> str | None:
            stop = stopping(session)
            if not stop.late:
                return messages.stopping(stop.run)
            shown = outward(stop.run) if context.public else stop.run
            return messages.status_reply([shown])

        return effect

    def _list(self, context: RequestContext, page: int) -> str:
        authorization = self._actions.authorization
        jobs, word = authorization.catalog(context).jobs, authorization.first_word(context)
        if isinstance(context.place, SlackPlace):
            return messages.job_table(jobs, word, page)
        return messages.listing(jobs, command=word, page=page)

    def _help(self, context: RequestContext, command: parser.Help) -> str:
        authorization = self._actions.authorization
        word = authorization.first_word(context)
        if command.topic is None or command.topic in grammar.VERBS:
            return parser.help_text(word, command.topic)
        return messages.job_help(authorization.catalog(context).job(command.topic), word, command.page)


def _answered(saying: Callable[[Session], Answer]) -> Effect:
    """What somebody said of a run, with the words that answer it."""
    return lambda session: saying(session).text


def _saying(text: str) -> Effect:
    """What only answers."""
    return lambda session: text


def _answer(effect: Callable[[Session], tuple[object, str]]) -> Effect:
    """The words of what gives more."""
    return lambda session: effect(session)[1]


def _joined(*texts: str | None) -> str | None:
    """The paragraphs that there are, as one answer."""
    return "\n\n".join(text for text in texts if text) or None
