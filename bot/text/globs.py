"""Names with stars in them: `release/*` for branches, `acme/*` for repositories."""

import re


def matches(pattern: str, text: str) -> bool:
    """Whether all of `text` fits `pattern`: `*` is anything but `/`, `**` anything, the rest itself.

    Walks all possibilities at once, so no pattern is slow.
    """
    if "*" not in pattern:
        return pattern == text
    parts = re.findall(r"\*\*|.", pattern, re.DOTALL)
    places = _past_stars(parts, {0})
    for character in text:
        following = set()
        for place in places:
            part = parts[place] if place < len(parts) else ""
            if part == "**" or (part == "*" and character != "/"):
                following.add(place)
            elif part == character:
                following.add(place + 1)
        places = _past_stars(parts, following)
    return len(parts) in places


def _past_stars(parts: list[str], places: set[int]) -> set[int]:
    """The places and those after the stars there, each of which may stand for nothing."""
    reached = set(places)
    for place in sorted(places):
        following = place
        while following < len(parts) and parts[following] in ("*", "**"):
            following += 1
            reached.add(following)
    return reached
