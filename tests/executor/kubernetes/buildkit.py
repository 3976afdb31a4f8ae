"""A stand-in for BuildKit, run as `buildkitd`, `rootlesskit` and `buildctl`: it builds nothing.

No package of Debian has BuildKit. This takes the flags that `build.sh` uses as the real ones do, and refuses
all others. What it was told goes to a file beside it: a line of JSON for each call. What `buildctl build`
answers is in the file `answer`: its exit code, then what it says.
"""

import json
import os
import signal
import sys
from argparse import ArgumentParser
from pathlib import Path

HERE = Path(__file__).resolve().parent
DIGEST = f"sha256:{'5' * 64}"
METADATA = {
    "containerimage.config.digest": f"sha256:{'4' * 64}",
    "containerimage.descriptor": {"digest": DIGEST, "size": 853},
    "containerimage.digest": DIGEST,
    "image.name": "shop",
}


def daemon(arguments: list[str]) -> None:
    parser = ArgumentParser(allow_abbrev=False)
    parser.add_argument("--oci-worker-no-process-sandbox", action="store_true")
    parser.add_argument("--root", required=True)
    parser.add_argument("--addr", required=True)
    parser.add_argument("--config")
    given = parser.parse_args(arguments)
    if (HERE / "broken").exists():
        sys.exit("[rootlesskit:parent] error: failed to start the child: operation not permitted")
    Path(given.addr.removeprefix("unix://")).touch()
    signal.pause()


def build(arguments: list[str]) -> None:
    parser = ArgumentParser(allow_abbrev=False)
    for name in ("progress", "frontend", "metadata-file", "output", "import-cache", "export-cache"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("opt", "local", "secret"):
        parser.add_argument(f"--{name}", action="append", default=[])
    given = vars(parser.parse_args(arguments))
    secrets = dict(
        field.split("=") for text in given["secret"] for field in text.split(",") if "src=" in field
    )
    given["read"] = [Path(path).read_text() for path in secrets.values()]
    code, _, said = (HERE / "answer").read_text().partition("\n")
    told(given)
    sys.stderr.write(said)
    if code == "0":
        Path(given["metadata_file"]).write_text(json.dumps(METADATA, indent=2))
    sys.exit(int(code))


def told(what: object) -> None:
    with (HERE / "told").open("a") as file:
        file.write(json.dumps(what) + "\n")


def main() -> None:
    name, *arguments = (Path(sys.argv[0]).name, *sys.argv[1:])
    if name == "rootlesskit":
        told("rootless")
        os.execvp(arguments[0], arguments)
    if name == "buildkitd":
        daemon(arguments)
    if arguments == ["debug", "workers"]:
        sys.exit(not Path(os.environ["BUILDKIT_HOST"].removeprefix("unix://")).exists())
    if arguments[0] == "build":
        build(arguments[1:])
    sys.exit(f"unknown: {arguments}")


if __name__ == "__main__":
    main()
