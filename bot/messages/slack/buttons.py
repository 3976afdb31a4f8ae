"""The buttons of a run that several places have."""

from bot.messages.slack.actions import Action
from bot.messages.slack.elements import Block, button, confirm
from bot.messages.view import View


def cancel_button(view: View) -> Block:
    """Stops a run, after a question."""
    question = confirm(
        f"Cancel #{view.number}?",
        f"{view.name} is stopped, and what it has done stays done.",
        yes="Cancel the run",
        no="Let it go on",
        style="danger",
    )
    return button("Cancel", Action.RUN_CANCEL, str(view.number), style="danger", confirm=question)
