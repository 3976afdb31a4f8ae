"""Where the files of a run lie in its container. Pure."""

from collections.abc import Mapping


def targets(files: Mapping[str, str], *, reserved: str) -> dict[str, str]:
    """Give the text for each absolute path in the container; raises ValueError for what is no path.

    No path may hold the character `reserved`, by which the engine separates the parts of a mount.
    """
    found: dict[str, str] = {}
    for path, text in files.items():
        parts = path.strip("/").split("/")
        target = "/" + "/".join(parts)
        if any(part in ("", ".", "..") for part in parts) or not path.isprintable() or reserved in path:
            raise ValueError(f"The file {path[:200]!r} cannot be placed: it is not a path below the root.")
        if target in found:
            raise ValueError(f"The file {target} is given twice.")
        found[target] = text
    return found
