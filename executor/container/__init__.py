"""Runs jobs in containers of this machine, through the Docker Engine API that Podman and Docker serve.

`engine` puts together `runs` (one `life` for every run that is attended here) and the images' side.
`client` is the only door to the API, `containers` the pure part: what is asked for and how answers are
read. May not know who asked for a run; a run's directory (`place`) and its container's labels are all that
a restart needs.
"""

from executor.container.engine import ContainerEngine
from executor.container.settings import Settings

__all__ = ["ContainerEngine", "Settings"]
