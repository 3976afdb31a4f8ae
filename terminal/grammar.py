"""Words as the grammar of comments reads them, where a command of the command line is one of that grammar."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from terminal.failures import Usage
from terminal.speech import spoken

if TYPE_CHECKING:
    from bot.commands.parser import Command


def command(verb: str, words: Sequence[str]) -> "Command":
    """What `errand VERB WORDS` means; `Usage` with what was expected."""
    from bot.commands.parser import of_words
    from bot.errors import AskerError

    try:
        return of_words(["errand", verb, *words], "errand")
    except AskerError as error:
        raise Usage(spoken(str(error))) from None
