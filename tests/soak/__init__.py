"""The chaos soak: thousands of messages through a relay to which everything happens at once.

`publisher` publishes what `mail` has made, to travel as `flow` says, with the `orders` of operators
in between; `clock` lets minutes pass in seconds. The relay is the processes of `nursery` and
`function`, each a `life` until it is killed, in a `manner` of its own; `front` stands before the
emulated AWS (`account`), `script` speaks for the mail server, each with the faults that `aws_chaos`
and `smtp_chaos` draw. `witness` and `steered` put together what these have seen, and `books` and
`course` count at the end. What ion says of itself is not asked, but for the emails that its ledger
has as cancelled, of which there must be no copy then. `run` is all of it in order, `report` what it
came to.
"""
