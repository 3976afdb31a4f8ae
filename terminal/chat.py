"""The conversation of `errand chat`: lines become commands as in a comment, and what moves is told.

The house runs on an event loop of its own thread, because reading a line waits for a person.
"""

import asyncio
import getpass
import logging
import os
import secrets
import signal
import tempfile
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from bot import messages
from bot.commands import parser
from bot.commands.grammar import VERBS
from bot.errors import AskerError, ConfigError, Refused, RetryLater
from bot.handlers.authorization import RequestContext
from bot.handlers.places import TerminalPlace
from bot.handlers.verbs import CommandHandlers
from bot.registry import Registry
from bot.states import ActorKind, Cause, State, attempt_name
from bot.store import Session, Store, builds, runs
from bot.tables import Build, Run
from bot.telemetry.logging import configure
from executor.errors import EngineUnavailable
from executor.logs.store import LogStore
from terminal.ending import Ending, Terminated
from terminal.failures import Failure, say
from terminal.house import checkouts, config_at, house
from terminal.outputs import Outputs
from terminal.prompt import Prompt
from terminal.speech import spoken
from terminal.streams import coloured

LOOK = 0.2
"""Seconds between two looks at what moves."""
_NEWEST = 50
"""Runs that are looked at; a person does not start more at once."""
_LABELS = {"build": "build ", "run": ""}
"""What a number has before it."""

T = TypeVar("T")


class Chat:
    """One conversation at a prompt; `context` says who types."""

    def __init__(
        self,
        commands: CommandHandlers,
        store: Store,
        registry: Registry,
        logs: LogStore,
        prompt: Prompt,
        context: RequestContext,
    ) -> None:
        self._commands = commands
        self._store = store
        self._registry = registry
        self._prompt = prompt
        self._context = context
        self._texts: dict[tuple[str, int], str] = {}
        self._looking = asyncio.Lock()
        self._outputs = Outputs(logs, self._say, prompt.asks, colours=prompt.asks and coloured())
        self._heard = 0
        self._hearing = asyncio.Lock()

    async def hear(self, line: str) -> None:
        """Carry out one line and tell the answer; the first word of a command may be left out."""
        word = self._registry.config.command
        text = line if line.split(maxsplit=1)[:1] == [word] else f"{word} {line}"
        self._heard += 1
        try:
            async with self._hearing:
                effect = await self._commands.of(self._asked_now(), parser.parse(text, word), 0)
                answer = await self._store.write(effect)
        except AskerError as error:
            answer = messages.error_reply(str(error))
        except (RetryLater, Refused, ConfigError) as error:
            answer = messages.error_reply(messages.plain(str(error)))
        if answer:
            await self._say(spoken(answer, links=False))

    async def watch(self) -> None:
        """Tell every change of a run or a build, until cancelled."""
        while True:
            await self._look()
            await asyncio.sleep(LOOK)

    async def stand(self) -> list[Run]:
        """The runs that have not ended; all that ended was told."""
        await self._look()
        return [run for run in await self._newest() if run.state != State.FINISHED]

    async def stop_all(self) -> None:
        """Ask everything that goes on to end; also what a line that is being heard begins."""
        async with self._hearing:
            commands = [
                parser.Cancel(run.number) for run in await self._newest() if run.state != State.FINISHED
            ]
            effects = [await self._commands.of(self._asked_now(), command, 0) for command in commands]
            await self._store.write(lambda session: [effect(session) for effect in effects])

    async def hide(self) -> None:
        """Show no more of what jobs print that run now: somebody has seen enough."""
        if labels := self._outputs.hide():
            number = labels[-1].rpartition("#")[2]
            ways = f"`logs {number}` tells the end, `cancel {number}` stops it"
            await self._say(f"{', '.join(labels)} will print unseen: {ways}.")

    async def close(self) -> None:
        """Let go of the logs."""
        await self._outputs.close()

    def names(self) -> list[str]:
        """The words that may follow: verbs, and the names of jobs."""
        return sorted({*VERBS, *self._registry.catalog.jobs, *self._registry.catalog.images})

    def _asked_now(self) -> RequestContext:
        context = self._context
        return RequestContext(
            key=f"{context.key}:{self._heard}",
            cause=context.cause,
            actor=context.actor,
            login=context.login,
            place=context.place,
        )

    async def _newest(self) -> list[Run]:
        return await self._store.read(lambda session: runs.page(session, limit=_NEWEST))

    async def _look(self) -> None:
        async with self._looking:
            rows = await self._newest()
            numbers = sorted({run.build_number for run in rows if run.build_number is not None})

            def read(session: Session) -> list[Build | None]:
                return [builds.get(session, number) for number in numbers]

            for build in await self._store.read(read):
                if build is not None:
                    await self._tell(
                        build, [build.name], partial(messages.terminal, messages.build_view(build))
                    )
            for run in reversed(rows):
                logs = [attempt_name(run.name, attempt) for attempt in range(1, run.attempt + 1)]
                await self._tell(run, logs, partial(messages.terminal, messages.run_view(run)))

    async def _tell(self, row: Run | Build, logs: Sequence[str], words: Callable[..., str]) -> None:
        """Tell how a run or build stands if that is news, after what it printed until then.

        `logs` are those of its attempts. The last lines of one that failed are not told twice.
        """
        key, text = (row.kind, row.identity), words()
        if self._texts.get(key) == text:
            return
        self._texts[key] = text
        label = f"{_LABELS[row.kind]}#{row.number}"
        begun, over, whole = row.started_at is not None, row.state == State.FINISHED, False
        for log in logs if over and begun else logs[:-1]:
            self._outputs.show(log, label)
            whole = await self._outputs.end(log)
        await self._say(words(tail=not whole))
        if begun and not over:
            self._outputs.show(logs[-1], label)

    async def _say(self, text: str) -> None:
        """Print it; in a thread, since a terminal may take nothing for as long as somebody wants."""
        await asyncio.to_thread(self._prompt.tell, text)


class Conversation:
    """The thread with the house, and the way to it from where lines are read."""

    def __init__(self, path: Path, named: tuple[str, ...], home: Path, prompt: Prompt) -> None:
        self._path, self._named, self._home, self._prompt = path, named, home, prompt
        self._ready: Future[Chat] = Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end = asyncio.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()))

    def open(self) -> Chat:
        """Start it; raises `Failure` where that cannot be."""
        self._thread.start()
        try:
            return self._ready.result()
        except (ConfigError, Refused, RetryLater, EngineUnavailable, OSError) as error:
            self._thread.join()
            raise Failure(str(error), 2 if isinstance(error, ConfigError) else 1) from None

    def ask(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` gives on the loop of the house."""
        assert self._loop is not None  # noqa: S101
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self) -> None:
        """End the house."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    async def _live(self) -> None:
        self._loop = asyncio.get_running_loop()
        try:
            config = await asyncio.to_thread(config_at, self._path, os.environ, self._home)
            github = await asyncio.to_thread(checkouts, self._named, config)
            async with house(config, github) as home:
                registry, logs = home.parts.registry, home.parts.logs
                asker = _asker(registry)
                chat = Chat(home.commands, home.parts.store, registry, logs, self._prompt, asker)
                moving = [asyncio.create_task(home.workers.run()), asyncio.create_task(chat.watch())]
                self._ready.set_result(chat)
                await self._end.wait()
                await chat.close()
                for task in moving:
                    task.cancel()
                await asyncio.gather(*moving, return_exceptions=True)
        except BaseException as error:
            if self._ready.done():
                raise
            self._ready.set_exception(error)


def _asker(registry: Registry) -> RequestContext:
    """Whoever sits here, asking in the repository of the first image that is built."""
    user = getpass.getuser()
    built = [image.repository for image in registry.config.images.values() if image.repository]
    return RequestContext(
        key=f"chat:{secrets.token_hex(8)}",
        cause=Cause.CHAT,
        actor=ActorKind.TERMINAL.named(user),
        login=user,
        place=TerminalPlace(registry.catalog.spelling(built[0]) if built else "chat/here"),
    )


def talk(path: Path, named: tuple[str, ...]) -> int:
    """Read lines and carry them out until there are no more; what goes on then is waited for, or stopped.

    Gives the exit code: 128 + N where signal N ended it. Jobs outlive whoever started them, so however this
    ends, they are stopped first.
    """
    configure([], level=logging.ERROR)
    prompt, ending, code = Prompt(), Ending(), 0
    with tempfile.TemporaryDirectory(prefix="errand-chat-", ignore_cleanup_errors=True) as home:
        conversation = Conversation(path, named, Path(home), prompt)
        chat = conversation.open()
        try:
            with ending.heeded():
                _listen(conversation, chat, prompt)
        except Terminated:
            pass  # `ending` knows by which signal
        except KeyboardInterrupt:
            code = 128 + signal.SIGINT
        finally:
            prompt.close()
            _clear(conversation, chat)
    return code if ending.number is None else 128 + ending.number


def _listen(conversation: Conversation, chat: Chat, prompt: Prompt) -> None:
    """Carry out lines to the end; a person is not kept waiting then, but what a pipe began goes on."""
    prompt.open(chat.names(), interrupted=lambda: conversation.ask(chat.hide()))
    if prompt.asks:
        say(
            "Commands as in a comment; `help` lists them. Ctrl-C hides what a job prints, Ctrl-D ends."
            " Nothing of this is kept."
        )
    while (line := prompt.line()) is not None:
        if line.strip():
            conversation.ask(chat.hear(line))
    if prompt.asks and conversation.ask(chat.stand()):
        say("Stopping what goes on.")
    else:
        _wait(conversation, chat)


def _clear(conversation: Conversation, chat: Chat) -> None:
    """Stop what goes on, then the house."""
    try:
        conversation.ask(chat.stop_all())
        _wait(conversation, chat)
    finally:
        conversation.close()


def _wait(conversation: Conversation, chat: Chat) -> None:
    """Wait until nothing goes on."""
    while conversation.ask(chat.stand()):
        threading.Event().wait(LOOK)
