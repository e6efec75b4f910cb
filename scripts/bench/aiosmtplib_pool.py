"""A sender by aiosmtplib: so many connections, each with its own loop over the emails."""

import asyncio
import json
import ssl

import aiosmtplib

from bench.emails import SENDER, address, email_message, endless
from bench.meter import Meter, Sample
from bench.task import HOST, Task


def pool(task: Task) -> Sample:
    """EmailMessage for each, or the same bytes again and again."""
    return asyncio.run(_pool(task))


async def _pool(task: Task) -> Sample:
    meter = Meter(task.connections, task.emails)
    tls = ssl.create_default_context(cafile=task.ca_file) if task.ca_file else None
    clients = [
        aiosmtplib.SMTP(hostname=HOST, port=task.port, start_tls=bool(tls), tls_context=tls)
        for _ in range(task.connections)
    ]
    for client in clients:
        await client.connect()
    bodies = endless()
    message = json.loads(next(bodies)[1])
    recipient, content = address(message["recipient"]), email_message(message).as_bytes()

    async def work(client: aiosmtplib.SMTP) -> None:
        while not meter.over:
            if task.prebuilt:
                await client.sendmail(SENDER, [recipient], content)
            else:
                await client.send_message(email_message(json.loads(next(bodies)[1])))
            meter.sent()

    async with asyncio.TaskGroup() as group:
        for client in clients:
            group.create_task(work(client))
    for client in clients:
        client.close()
    return meter.sample()
