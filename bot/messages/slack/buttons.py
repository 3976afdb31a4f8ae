"""The buttons of a run that several places have."""

from bot.messages.comments import parameters
from bot.messages.slack.actions import Action
from bot.messages.slack.elements import BUTTON_VALUE_CHARACTERS, Block, button, confirm
from bot.messages.slack.overviews import FreezeLine
from bot.messages.text import clean
from bot.messages.view import View


def answer_buttons(view: View) -> list[Block]:
    """Yes and no to a run that waits for that, each after a question that says what it is a yes to."""
    values = " ".join(parameters(view))
    what = f"{view.name} {values}".strip() + (f" of commit {view.commit[:12]}" if view.commit else "")
    yes = confirm(
        f"Approve #{view.number}?",
        f"{clean(what, 200)} starts, with your name beside that of who asked for it.",
        yes="Approve",
        no="Not yet",
    )
    no = confirm(
        f"Deny #{view.number}?",
        f"{clean(view.name, 100)} does not start; who asked for it has to ask anew.",
        yes="Deny",
        no="Not yet",
        style="danger",
    )
    number = str(view.number)
    return [
        button("Approve", Action.RUN_APPROVE, number, style="primary", confirm=yes),
        button("Deny", Action.RUN_DENY, number, style="danger", confirm=no),
    ]


def thaw_button(line: FreezeLine) -> Block | None:
    """Ends a freeze, after a question; None where its reader does not, or a button cannot name it."""
    if line.thaw is None or len(line.thaw) > BUTTON_VALUE_CHARACTERS:
        return None
    question = confirm(
        f"Thaw {clean(line.what, 80)}?",
        "What is held back by this freeze starts, and so does what is asked for from now on.",
        yes="Thaw",
        no="Leave it frozen",
    )
    return button("Thaw", Action.FREEZE_THAW, line.thaw, confirm=question)


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
