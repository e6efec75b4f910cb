"""Proof by SIGKILL: the function dies at a named point, runs again, and the books must balance.

`points` names where it may die, `proxy` and the scripted SMTP server see it get there, `child`
is the function as a process, `account` its emulated AWS, `books` counts at the end.
"""
