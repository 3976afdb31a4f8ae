"""What whoever started a run wants its job to have: a file that only this run finds, and never code."""

from dataclasses import replace

from executor.spec import RunSpec

VARIABLE = "ERRAND_PAYLOAD"
"""Where the job finds the file; without a payload that is empty, or not set."""
PLACE = "/etc/errand/payload"
"""Where that is in a container."""


def placed(spec: RunSpec) -> RunSpec:
    """`spec` with its payload as one more of its files, for engines whose runs have a root of their own."""
    if spec.payload is None:
        return spec
    files = {**spec.files, PLACE: spec.payload}
    return replace(spec, files=files, env={**spec.env, VARIABLE: PLACE}, payload=None)
