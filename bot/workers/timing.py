"""How often workers look, and how long what they claimed is theirs; all in seconds.

What a bot carried that was killed is taken over within `LEASE` and `SWEEP`.
"""

LEASE = 10.0
"""A claim holds so long without being renewed; then another bot takes over."""
RENEW = 3.0
"""Between two renewals: two may fail before a lease is lost."""
SWEEP = 3.0
"""After this a pool or a duty looks although nothing woke it."""
STALL = LEASE - 2.0
"""A process that stood still so long (paused, or starved) may have lost its leases."""
