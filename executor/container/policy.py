"""Where images of Dockerfiles may come from, as containers-policy.json(5) has it.

`FROM` and `--from` take whatever Podman can name: an archive or a directory of this machine, and images
of any storage of it (`containers-storage:[overlay@/var/lib/containers/storage+...]NAME`). Registries are
left, by the machine's own rules.
"""

import contextlib
import json
import os
from pathlib import Path
from typing import Any

_REGISTRIES, _STORAGE = "docker", "containers-storage"
"""What the transports are called."""


def write(path: Path, scope: str) -> bool:
    """Write to `path` the policy for builds whose own storage is `scope` (`[DRIVER@ROOT]`).

    False where the machine has none, which refuses every image. Raises OSError, and ValueError for what is no
    policy.
    """
    machine = _of_machine()
    if machine is None:
        return False
    path.parent.mkdir(0o700, parents=True, exist_ok=True)
    made = path.with_name(f"{path.name}.{os.getpid()}")
    made.write_text(json.dumps(narrowed(machine, scope)), encoding="utf-8")
    made.rename(path)
    return True


def narrowed(machine: dict[str, Any], scope: str) -> dict[str, Any]:
    """The policy `machine` for registries, and for what is in the storage; anything else is rejected."""
    registries = dict(machine.get("transports", {}).get(_REGISTRIES, {}))
    registries.setdefault("", machine.get("default", [{"type": "reject"}]))
    own = {scope: [{"type": "insecureAcceptAnything"}]}
    return {"default": [{"type": "reject"}], "transports": {_REGISTRIES: registries, _STORAGE: own}}


def _of_machine() -> dict[str, Any] | None:
    """The policy that Podman itself would take: that of the user, else of the machine."""
    for path in (Path.home() / ".config/containers/policy.json", Path("/etc/containers/policy.json")):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            found = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(found, dict):
                raise ValueError(f"{path}: not a policy")
            return found
    return None
