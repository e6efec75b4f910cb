"""Tells other programs where a stack is, while it is up: see `ops.local_stack`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from ionctl.local.interrupt import held
from ionctl.local.ministack import CREDENTIALS, REGION
from ionctl.local.stack import Stack
from ionctl.ops import local_stack
from ionctl.ops.local_stack import LocalStack, MailServerAddress


def addresses(stack: Stack, console_url: str = "") -> LocalStack:
    """Give the addresses of a stack that is up.

    Args:
        stack: it.
        console_url: with the token; empty: there is no console.
    """
    login = stack.mail_server.login
    return LocalStack(
        pid=os.getpid(),
        name=stack.names.name,
        console_url=console_url,
        endpoint_url=stack.ministack.endpoint,
        region=REGION,
        access_key_id=stack.names.access_key,
        secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        topic_arn=stack.names.topic_arn,
        bulk_topic_arn=stack.names.bulk_topic_arn,
        mail_server=MailServerAddress(
            host=login.host,
            port=login.port,
            username=login.username,
            password=login.password,
            ca_file=str(login.ca_file),
        ),
    )


@contextmanager
def announced(stack: Stack, console_url: str = "") -> Iterator[LocalStack]:
    """Keep the status file there inside the `with`. Of several stacks the last one has it.

    Raises:
        Problem: the file can't be written.
    """
    told = addresses(stack, console_url)
    try:
        with held():
            local_stack.write(told)
        yield told
    finally:
        with held():
            local_stack.remove(told.pid)
