"""What was typed: the grammar of commands, and what is read of a comment or a line of the chat. Pure.

May not decide anything: who may do what and what it does is for `bot.handlers`.
"""
