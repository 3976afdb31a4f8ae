"""Which image was made of what, so that a commit that changes nothing of it needs no build."""

import hashlib
import json
import os
import re

_MOST = 100
"""Images that are known by what they were made of; the newest stay."""

_ADD = re.compile(r"^\s*ADD\s", re.IGNORECASE | re.MULTILINE)


def key(tree: str, inputs: str, bases: list[str], dockerfile: str) -> str | None:
    """Name what an image is made of: git's name of the commit's files, the recipe, ids of local images.

    None where that does not say it all: `ADD` may fetch what has changed elsewhere.
    """
    if _ADD.search(dockerfile):
        return None
    return hashlib.sha256(json.dumps([tree, inputs, sorted(bases)]).encode()).hexdigest()


class FinishedImages:
    """A file of images, by their keys."""

    def __init__(self, path: str) -> None:
        self._path = path

    def image(self, made_of: str) -> str | None:
        """Give the image's id if it is known."""
        found = self._read().get(made_of)
        return found if isinstance(found, str) else None

    def add(self, made_of: str, image: str) -> None:
        """Note an image. Of two builds at once one may be forgotten, which costs a build later."""
        known = self._read()
        known.pop(made_of, None)
        kept = [*known.items(), (made_of, image)][-_MOST:]
        made = f"{self._path}.{os.getpid()}"
        with open(made, "w", encoding="ascii") as file:
            json.dump(dict(kept), file)
        os.rename(made, self._path)

    def _read(self) -> dict[str, object]:
        try:
            with open(self._path, encoding="ascii") as file:
                known = json.load(file)
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}
