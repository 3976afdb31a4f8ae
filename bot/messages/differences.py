"""How one run differs from another: texts as they came, which every syntax cleans for itself."""

from collections.abc import Iterator

from bot.tables import Run

SHOWN = 12
"""Differences that are told."""

_ABSENT = "(none)"


def differences(old: Run, new: Run) -> tuple[str, ...]:
    """What `new` does otherwise than `old`: parameters, arguments, commit, definition; none: the same.

    Of a definition only the keys are told, since what an `env` says may be nobody's business.
    """
    found = list(_differences(old, new))
    more = [f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
    return (*found[:SHOWN], *more)


def _differences(old: Run, new: Run) -> Iterator[str]:
    for name in dict.fromkeys([*old.parameters, *new.parameters]):
        was, now = (str(run.parameters.get(name, _ABSENT)) for run in (old, new))
        if was != now:
            yield f"{name}: {was[:60]} → {now[:60]}"
    if list(old.arguments) != list(new.arguments):
        was, now = (" ".join(run.arguments)[:60] or _ABSENT for run in (old, new))
        yield f"arguments: {was} → {now}"
    if old.commit != new.commit:
        yield f"commit: {(old.commit or _ABSENT)[:12]} → {(new.commit or _ABSENT)[:12]}"
    elif old.digest and new.digest and old.digest != new.digest:
        yield "the image was built anew" if new.commit else "another image of the same name"
    if old.image_definition and new.image_definition and old.image_definition != new.image_definition:
        yield "the image is defined otherwise"
    keys = [
        key
        for key in dict.fromkeys([*old.definition, *new.definition])
        # What an older version of Errand did not know yet is no difference.
        if key in old.definition and old.definition[key] != new.definition.get(key)
    ]
    if keys:
        counted = f" {old.version} → {new.version}" if old.version and new.version else ""
        yield f"definition{counted}: {', '.join(str(key) for key in keys)}"
