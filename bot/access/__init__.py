"""Who somebody is and what they may: scopes, rules, signed links, workflows. Pure: facts are given.

May not ask anybody: GitHub and the database are asked by `bot.handlers`.
"""
