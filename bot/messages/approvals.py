"""What is said to who says yes or no to a run, and of runs that waited for that (Markdown).

Names, parameters and reasons come from outside and are shown literally.
"""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.messages.text import clean, plain
from bot.tables import Run
from bot.text import vocabulary
from bot.text.vocabulary import duration, moment
from bot.text.wording import quoted

_ANYBODY = "somebody else who may run it"
_NAMED = "those whom its rule names"
"""Where everybody reads: that tells of no team."""
LISTED = 5
"""Names, keys and changes that are told of many."""


def name_of(actor: str) -> str:
    """Whoever it is, in one line of plain text."""
    return clean(vocabulary.who(actor), 80)


def approvers(run: Run) -> list[str]:
    """The actors whose yes counts for a run, in the order in which they said it."""
    return [str(each["actor"]) for each in (run.approval or {}).get("given", ())]


def approved_by(run: Run) -> str | None:
    """Who said yes to a run, as plain text; None where nobody did or had to."""
    names = [name_of(actor) for actor in approvers(run)]
    return _joined(names) if names else None


def whose(run: Run) -> str:
    """Whose yes a run needs or needed, as plain text."""
    names = (run.approval or {}).get("from") or ()
    if names and run.public:
        return _NAMED
    return clean(", ".join(names), 200) or _ANYBODY


def yes_counts(run: Run, *, fresh: bool, enough: bool) -> str:
    """The answer to a yes."""
    count = (run.approval or {}).get("count", 1)
    already = "" if fresh else " already"
    if enough:
        return f"Your yes to #{run.number} ({quoted(run.job)}) counts{already}: it goes on."
    return (
        f"Your yes to #{run.number} ({quoted(run.job)}) counts{already}: {len(approvers(run))} of {count},"
        f" of {quoted(whose(run))}."
    )


def denied(run: Run) -> str:
    """The answer to a no."""
    return f"#{run.number} ({quoted(run.job)}) does not start: you said no to it."


def no_yes_wanted(run: Run) -> str:
    """To who says yes or no to what waits for neither."""
    stands = vocabulary.standing(run.state, run.result).verb
    return f"#{run.number} ({quoted(run.job)}) waits for no yes: it {stands}."


def own_run(run: Run) -> str:
    """To who asked for it, whatever they are called here."""
    return (
        f"You asked for #{run.number} yourself, so your yes to it does not count. Ask {quoted(whose(run))}."
    )


def own_commit(run: Run) -> str:
    """To who wrote what would run."""
    return (
        f"What #{run.number} would run was written or committed by you, and its job says `not_author`."
        f" Ask another one of {quoted(whose(run))}."
    )


def unknown_author(run: Run) -> str:
    """Where GitHub knows no account of who wrote it."""
    return (
        f"GitHub does not know who wrote the commit of #{run.number}, and its job says `not_author`, so"
        " nobody can say yes to it. Commit it with an address that belongs to an account."
    )


def unknown_another(run: Run) -> str:
    """Where two names may be one person's."""
    return (
        f"I cannot tell that you and {quoted(name_of(run.actor))}, who asked for #{run.number}, are two"
        " people: somebody who runs this installation can add who you are on GitHub to `slack.people`."
    )


def no_person() -> str:
    """To a token, a hook or a workflow."""
    return "Only people say yes here; a token does where `from` of the job's `approval` names it."


def other_door(run: Run) -> str:
    """To who says it where it does not count."""
    doors = ", ".join((run.approval or {}).get("on", ()))
    return f"A yes to #{run.number} does not count here: its job takes it on {quoted(doors)}."


def yes_too_late(run: Run) -> str:
    """To a yes after its time."""
    until = moment(run.hold_until or 0.0)
    return f"#{run.number} waited for a yes until {until}; ask for it anew."


def image_unknown(run: Run) -> str:
    """While it is looked up what a yes would be to."""
    return f"It is still looked up which image exactly #{run.number} would run; say it again in a moment."


def changed_meanwhile(run: Run) -> str:
    """Where something came in between."""
    return f"#{run.number} has changed in this moment; look at it again."


def voided(run: Run) -> str:
    """To a yes to what is not so any more."""
    return f"Your yes does not count: {plain(end_of_voided(run.reason_on or {}), 1000)}"


def end_of_voided(on: Mapping[str, Any]) -> str:
    """Why no yes to a run counts any more."""
    changes = [_CHANGES[each["kind"]](each) for each in on.get("changes", ()) if each.get("kind") in _CHANGES]
    what = "; ".join(changes[:LISTED]) or "something is not as it was"
    return f"since it was asked for, {what}. {_what_to_do(on)}"


def _what_to_do(on: Mapping[str, Any]) -> str:
    """The line by which it is asked for anew, where it can be."""
    changes = {each.get("kind"): each for each in on.get("changes", ())}
    again = clean(str(on.get("again", "")), 200)
    if "job" in changes:
        return "There is nothing to ask for any more."
    if not again:
        return "Ask for it anew."
    if "closed" in changes and (base := clean(str(changes["closed"].get("base", "")), 100)):
        return f"Its branch is not taken any more; name another ({again} --ref {shlex.quote(base)})."
    return f"Ask for it anew ({again})."


def end_of_denied(on: Mapping[str, Any]) -> str:
    """Who said no, and why."""
    why = f": {clean(on['why'], 300)}" if on.get("why") else "."
    return f"{name_of(on['actor'])} said no{why}"


def end_of_expired(on: Mapping[str, Any]) -> str:
    """That nobody, or not enough of them, said yes in time."""
    names = [name_of(str(each["actor"])) for each in on.get("given", ())]
    whose_ = clean(str(on.get("whose", "")), 200)
    if names:
        return f"Only {_joined(names)} said yes in time; it needed more of {whose_}."
    return f"Nobody of {whose_} said yes in time." if whose_ else "Nobody said yes in time."


def needs_yes(approval: Mapping[str, Any], *, public: bool = False) -> str:
    """What is said beforehand of the yes that a run will need; `public`: where everybody reads."""
    count, named, doors = approval["count"], approval.get("from") or (), approval["on"]
    many = "a yes" if count == 1 else f"a yes of {count} people"
    of = _NAMED if named and public else quoted(", ".join(named)) if named else _ANYBODY
    author = ", not of who wrote the commit" if approval.get("not_author") else ""
    where = f" (on {', '.join(doors)})" if len(doors) < len(_DOORS) else ""
    when = f" where {quoted(approval['when'])}" if approval.get("when") else ""
    most = duration(approval["expires"])
    return f"it waits for {many} of {of}{author}{where}{when}, for {most} at most"


_DOORS = ("github", "slack", "page", "api")


def _definition(change: Mapping[str, Any]) -> str:
    keys = [str(key) for key in change.get("keys", ())]
    shown = ", ".join(keys[:LISTED]) + (f" and {len(keys) - LISTED} more" if len(keys) > LISTED else "")
    return f"the definition of {clean(change['job'], 80)} has changed" + (f" ({shown})" if keys else "")


def _head(change: Mapping[str, Any]) -> str:
    return (
        f"pull request #{change['pull']} has got other commits"
        f" ({str(change['was'])[:12]} is {str(change['now'])[:12]} now)"
    )


def _image(change: Mapping[str, Any]) -> str:
    name = clean(str(change.get("image") or "the image"), 80)
    return f"{name} is another image now ({_short(change['was'])}, then {_short(change['now'])})"


def _short(digest: Any) -> str:
    """The end of an image's name that tells it from others."""
    name = clean(str(digest), 300)
    _, at, last = name.rpartition("sha256:")
    return f"{at}{last[:12]}" if at else name[-40:]


_CHANGES: Mapping[str, Any] = {
    "definition": _definition,
    "job": lambda change: f"the job {clean(change['job'], 80)} was taken away",
    "head": _head,
    "closed": lambda change: (
        f"pull request #{change['pull']} was {'merged' if change.get('merged') else 'closed'}"
    ),
    "image": _image,
}


def _joined(names: Sequence[str] | Iterable[str]) -> str:
    some = list(names)
    shown = some[:LISTED]
    if len(some) > LISTED:
        return f"{', '.join(shown)} and {len(some) - LISTED} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
