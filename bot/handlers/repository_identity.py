"""Repositories by whose deliveries something is asked: known, new, renamed, or under another one's name."""

from bot import events, messages
from bot.access.repository_pins import Identity
from bot.commands import markdown
from bot.handlers.answers import Answers, by_number
from bot.handlers.settlement import Settlement
from bot.registry import Registry
from bot.repositories import CodeHost, Stranger
from bot.tables import Delivery, Post


class RepositoryIdentityHandler:
    """Lets repositories in by their numbers."""

    def __init__(self, registry: Registry, host: CodeHost, settlement: Settlement, answers: Answers) -> None:
        self._registry = registry
        self._host = host
        self._settlement = settlement
        self._answers = answers

    async def admit(self, event: events.InRepository) -> str:
        """By which name the repository is known here; `Stranger` where its name was another one's."""
        repositories, name = self._host.repositories, event.repository
        if event.number is not None:
            seen = Identity(name, event.number, event.owner_number)
            return await repositories.admit(seen, door="delivery")
        if await repositories.known(name) is not None:
            raise Stranger(name, f"the delivery does not say the number of {name}, which is known")
        return self._registry.catalog.spelling(name)

    async def turn_away(self, delivery: Delivery, event: events.InRepository, stranger: Stranger) -> None:
        """Nothing is done for who has another one's name; whoever gives a command there is told that much."""
        answers, word = list[Post](), self._registry.config.command
        if (
            isinstance(event, events.Comment)
            and self._host.github is not None
            and event.number is not None
            and not event.outsider
            and self._registry.config.allows(event.repository)
            and markdown.is_short_command(event.body, word)
        ):
            there = by_number(event)
            key = f"refusal:{there.repository}#{event.pull}:{event.author.lower()}"
            answers = self._answers.github(there, key, [messages.error_reply(str(stranger))], failed=True)
        await self._settlement.settle(delivery, "ignored", stranger.note, answers)

    async def renamed(self, delivery: Delivery, moved: events.RepositoryMoved) -> None:
        """GitHub tells at once what would be seen with the next push or comment."""
        identity = await self._host.repositories.known(moved.former)
        if identity is not None and identity.number != moved.number:
            await self._settlement.settle(delivery, "ignored", f"{moved.former} is another repository by now")
            return
        seen = Identity(moved.former, moved.number, current=moved.repository)
        name = await self._host.repositories.admit(seen, door="delivery")
        await self._settlement.settle(delivery, "handled", f"{name} is called {moved.repository} now")
