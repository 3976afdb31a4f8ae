"""What is decided: for each thing that comes in, whether it may be, and what is stored because of it.

Asks GitHub first and then decides in one short transaction. May not start what it stored: that is for
`bot.workers`, and what is said of it for `bot.posting`.
"""
