"""Schedules: cron text and a time zone become due moments.

`cron` refuses what can never fire or is not what it looks like, `dates` walks the local times that fit, which
croniter finds, `zones` knows when a zone's clock changes, and `schedule` joins the three. Everything is pure:
the time is an argument, as epoch seconds. The rules at clock changes are told in docs/schedules.md.
"""

from bot.schedule.schedule import Schedule, parse, spread
from bot.schedule.zones import first_moment, last_moment, zone

__all__ = ["Schedule", "first_moment", "last_moment", "parse", "spread", "zone"]
