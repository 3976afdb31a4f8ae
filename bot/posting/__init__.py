"""What is said, where, and once: post targets, who reads them, and the outbox that carries posts out.

May not decide what happens: it shows what is stored, in the words of `bot.messages`.
"""
