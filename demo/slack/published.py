"""What the stand-in has taken, for whoever knows Slack's published types."""

from collections.abc import Callable
from typing import Any

Heard = Callable[[str, dict[str, Any]], None]
"""Takes what was accepted: the name of a method with its arguments, or one of these with its body:

`response_url` (what was sent to one, or stood in the answer to a command), `response_action` (the answer to
a submitted form), `block_suggestion` (the options of a menu).
"""
