"""The garbage collector, told to leave alone what lives as long as the service."""

import gc

YOUNG = 10_000
"""Objects made, less those freed, between two looks at the youngest."""


def quiet_collector() -> None:
    """Keep all that was made at the start out of collections: every full one stopped the loop for 40 ms.

    Whoever began may have disabled them until now.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 20)
    gc.enable()
