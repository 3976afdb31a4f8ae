"""What is carried: queues of deliveries, runs, builds and posts, and duties that come round again.

May not decide who may do what: it goes on with what `bot.handlers` stored.
"""
