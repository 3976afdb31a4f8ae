"""What neither the log nor a sentence of one run shows."""

from collections.abc import Sequence

from executor.logs.redaction import Redactor
from executor.spec import Secret
from executor.threads import shielded


class Mask:
    """The secrets of one run: `values` are those of its log, which only grow."""

    def __init__(self) -> None:
        self.values: list[bytes] = []
        self._redactor = Redactor(())

    async def add(self, values: Sequence[bytes]) -> None:
        """Hide these as well; large ones take time to prepare for."""
        if values:
            self.values += values
            self._redactor = await shielded(lambda: Redactor(self.values))

    async def add_secrets(self, secrets: Sequence[Secret]) -> None:
        """Hide what these reveal."""
        await self.add([secret.reveal().encode("utf-8", "surrogateescape") for secret in secrets])

    def sentence(self, words: str) -> str:
        """Give words for other places than the log."""
        return self._redactor.sentence(words)
