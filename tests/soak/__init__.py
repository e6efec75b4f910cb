"""The chaos soak: thousands of messages through a relay to which everything happens at once.

`publisher` publishes what `mail` has made, `clock` lets minutes pass in seconds. The relay is the
processes of `nursery` and `function`, each a `life` until it is killed, in a `manner` of its own;
`front` stands before the emulated AWS (`account`), `script` speaks for the mail server, each with
the faults that `aws_chaos` and `smtp_chaos` draw. `witness` puts together what these have seen, and
`books` counts at the end: what ion says of itself is never asked. `run` is all of it in order,
`report` what it came to.
"""
