"""An error as Slack's Web API says it."""

from typing import Any


class SlackError(Exception):
    """A method's error by its name; `more` stands beside it in the answer."""

    def __init__(self, name: str, **more: Any) -> None:
        super().__init__(name)
        self.name = name
        self.body: dict[str, Any] = {"ok": False, "error": name, **more}
