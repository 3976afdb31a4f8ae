"""Packages of npm that a test asks: installed once below `var`, skipped without npm, an error in CI."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def package(name: str, version: str, place: str) -> Path:
    """The directory of that package below `var/PLACE`."""
    top = ROOT / "var" / place
    found = top / "node_modules" / name
    if not found.exists():
        reason = "npm is missing" if shutil.which("npm") is None else _install(top, f"{name}@{version}")
        if reason:
            if os.environ.get("CI"):
                pytest.fail(reason)
            pytest.skip(reason)
    return found


def _install(top: Path, what: str) -> str | None:
    top.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["npm", "install", "--silent", "--no-audit", "--no-fund", "--no-save", "--prefix", top, what],
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    return f"npm could not install {what}: {done.stderr[-500:]}" if done.returncode else None
