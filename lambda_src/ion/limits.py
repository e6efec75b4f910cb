"""The numbers of SQS and DynamoDB, and the margins that ion keeps to them and to Lambda's end.

`tests/test_limits.py` holds them against one another, and against the Terraform module.
"""

_HOUR = 3600
_DAY = 24 * _HOUR

# SQS

BATCH = 10
"""Messages a call."""
MOST_MESSAGE_BYTES = 262_144
"""Body and attributes of a message, and of all messages of a call. AWS allows 1 MiB now; this much
has always been allowed, and is what SNS takes."""
MAX_ATTRIBUTES = 10
"""Of a message, the publisher's and ours together."""
NEARLY_ALL_IN_FLIGHT = 100_000
"""Of a queue that has about 120,000 messages in flight, SQS gives out no more: a long poll is
answered as if it were empty."""
LONGEST_POLL_SECONDS = 20
LONGEST_VISIBILITY_SECONDS = 12 * _HOUR
"""From the receive on."""
LONGEST_DELAY_SECONDS = 900
"""Of a message that is sent."""
STAYS_SECONDS = 60
"""A message that waits for longer does so in a queue of its own: hidden by its visibility timeout
it would count as in flight, and of a queue that has 120,000 of these SQS gives out no more."""
COPIED_ANEW_SECONDS = 7 * _DAY
"""A message that has waited there for so long is put there anew, so that SQS doesn't forget it."""
RETENTION_SECONDS = 14 * _DAY
"""A queue forgets a message after that: SQS's longest, and what the module sets."""
MOST_RECEIVES = 990
"""Then SQS is about to bury a message by itself (`maxReceiveCount`, 1000), without a word."""

# DynamoDB

STATEMENTS_A_CALL = 25
"""BatchExecuteStatement takes no more."""
KEYS_A_READ = 100
"""BatchGetItem takes no more."""
LEDGER_KEEPS_SECONDS = 30 * _DAY
"""A row: beyond 14 days in the input queue and 14 more in the dead-letter queue."""
TOLD_KEEPS_SECONDS = 2 * _DAY
"""A row that is there to be told of: the table's stream keeps its records for one."""

# the end of an invocation

SETTLE_SECONDS = 10
"""Kept for what follows the last reply: writing down what it was."""
BEGIN_BUDGET_SECONDS = 45
"""No message is begun with less left: 30 s for the reply to its dot, the rest for its envelope."""
DOT_BUDGET_SECONDS = 30.0
"""No DATA is begun with less than this left to wait for the reply to its dot."""
VISIBILITY_MARGIN_SECONDS = 60
"""A received message stays hidden this much longer than the invocation can live."""
LEASE_MARGIN_SECONDS = 60
"""A lease outlives the invocation by this, as the visibility of its message does."""
SKEW_SECONDS = 30
"""By so much may the clocks of two functions differ before one takes the other's live lease."""

# the end of a message

LAST_CHANCE_SECONDS = 2 * _DAY
"""So long before SQS forgets it, what can't be sent moves on to the dead-letter queue, with its
reason."""
RETENTION_LOOK_SECONDS = 36 * _HOUR
"""Between two looks through the queues for what is about to be forgotten, at the least. A look
counts as a receive, and CloudWatch's age of the oldest message leaves out what was received three
times (SQS), so the third look must find nothing that is younger than some days. What a look leaves
is younger than `LAST_CHANCE_SECONDS` before the end, 12 hours longer than this: time for a look
that fails, or gets through the queues in parts."""
RETENTION_RETRY_SECONDS = 4 * _HOUR
"""After a look that died, or a queue that couldn't be read: two more before those 12 hours end."""
