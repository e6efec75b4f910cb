"""What the local stack says when it is up: where it is, and what to try."""

import json
import shlex
from typing import Final

from ionctl.local.mailbox_simulator import BEHAVIOUR
from ionctl.local.ministack import CREDENTIALS, REGION
from ionctl.local.stack import Stack

SAMPLE: Final = {
    "action": "send",
    "recipient": "Ann Example <ann@example.org>",
    "subject": "Hello from ion",
    "body_text": "This email went from SNS through SQS and Lambda to the mail server.",
}


def text(stack: Stack) -> str:
    """Give everything that a person needs to go on, ready for the shell."""
    login = stack.mail_server.login
    message = json.dumps({**SAMPLE, "recipient": "bob@example.org", "body_text": "It works."})
    publish = f"sns publish --topic-arn {stack.names.topic_arn} --message {shlex.quote(message)}"
    invoke = f"lambda invoke --function-name {stack.names.function} /dev/stdout"
    behaviour = "\n".join(f"  {who:<24}{what}" for who, what in BEHAVIOUR.items())
    return f"""\
Up, until Ctrl-C; each email is shown as it arrives.

  AWS          {stack.ministack.endpoint} (ministack: no account, no costs)
  S3           s3://{stack.names.files}, for attachments and whole messages
  DynamoDB     {stack.names.outbox}, for messages that are only {{"email_id": …}}
  mail server  {login.host}:{login.port} (STARTTLS; {login.username}, {login.password})

Publish an email, from another terminal:

{_aws(stack, publish)}

A newsletter or the like, which other mail overtakes, goes to the bulk topic in the same way:

  {stack.names.bulk_topic_arn}

Wake the relay, as the schedule would:

{_aws(stack, invoke)}

Pause, stop, cancel and resume (nothing wakes the relay after a pause but the line above, or an
email):

  {_variables(AWS_ENDPOINT_URL=stack.ministack.endpoint)} ./control.sh show

Recipients that misbehave, after the mailbox simulator of Amazon SES:

{behaviour}
"""


def _aws(stack: Stack, command: str) -> str:
    """Give a line for the AWS CLI that goes here, whatever AWS the person's own setup names."""
    aws = f"aws --endpoint-url {stack.ministack.endpoint} --region {REGION}"
    return f"{_variables()} {aws} {command}"


def _variables(**further: str) -> str:
    """Give what goes before a command, so that it reaches this AWS and no other."""
    environment = {**CREDENTIALS, "AWS_SESSION_TOKEN": "", **further}
    return " ".join(
        f"{name}={shlex.quote(value) if value else ''}" for name, value in environment.items()
    )
