"""Packages of npm that a test asks: installed once below `var`, skipped without npm, an error in CI."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def package(name: str, version: str, place: str) -> Path:
    """The directory of that package below `var/PLACE`."""
    modules = installed(place, f"{name}@{version}")
    if isinstance(modules, str):
        if os.environ.get("CI"):
            pytest.fail(modules)
        pytest.skip(modules)
    return modules / name


def installed(place: str, *packages: str) -> Path | str:
    """The `node_modules` below `var/PLACE` with these packages (`NAME@VERSION`), or why there are none."""
    top = ROOT / "var" / place
    top.mkdir(parents=True, exist_ok=True)
    done, wanted = top / "installed", "\n".join(packages)
    with (top / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in several processes
        if not done.exists() or done.read_text() != wanted:
            reason = "npm is missing" if shutil.which("npm") is None else _install(top, packages)
            if reason:
                return reason
            done.write_text(wanted)
    return top / "node_modules"


def _install(top: Path, packages: tuple[str, ...]) -> str | None:
    quiet = ["--silent", "--no-audit", "--no-fund", "--no-save", "--ignore-scripts"]
    try:
        done = subprocess.run(
            ["npm", "install", *quiet, "--prefix", top, *packages],
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
    except subprocess.TimeoutExpired:
        return "npm gave no answer within 180 seconds"
    what = " ".join(packages)
    return f"npm could not install {what}: {done.stderr[-500:]}" if done.returncode else None
