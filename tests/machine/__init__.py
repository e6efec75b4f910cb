"""Proof by chance: a machine of rules plays publisher, SQS, mail server, crash and clock.

hypothesis draws what happens (`choices`, `rules`). `world` lets it happen to the real relay: real
sockets, moto's SQS, the ledger's table in a ministack; only time is simulated (`simulated_time`).
`process` is one Lambda with the faults that were drawn for it (`faults`, `seams`). `books` counts
after each step, believing the mail server's dots and the queues. `broken` has relays that the
machine must see through.
"""
