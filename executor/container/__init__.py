"""Runs jobs in containers of Podman or Docker, in images that it builds with their command line.

`engine` puts together `runs` (one `life` for every run that is attended here), `builds` and `images`.
`client` is the door to the API of containers, `command` that to the command line, `containers` the pure
part: what is asked for and how answers are read. May not know who asked. Everything that has to outlive
Errand is a container of the engine's with its labels and the run's directory (`place`), or (a build) a
process under a supervisor of `executor.process`.
"""

from executor.container.engine import ContainerEngine
from executor.container.settings import Settings

__all__ = ["ContainerEngine", "Settings"]
