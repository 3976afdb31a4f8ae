"""The collector once the service stands."""

import gc

from webhooks.server.collector import YOUNG, quiet_collector


def test_collector_works_again_and_leaves_alone_what_was_there() -> None:
    before, frozen = gc.get_threshold(), gc.get_freeze_count()
    gc.disable()
    try:
        quiet_collector()
        assert (gc.isenabled(), gc.get_threshold()[0]) == (True, YOUNG)
        assert gc.get_freeze_count() > frozen
    finally:
        gc.enable()
        gc.set_threshold(*before)
