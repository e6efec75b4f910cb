"""Senders by the standard library: the first ion's way, and a connection for each email."""

import json
import smtplib

from bench.emails import SENDER, address, endless, mime_multipart
from bench.meter import Meter, Sample
from bench.task import HOST, Task


def one_connection(task: Task) -> Sample:
    """The first ion's: one email after the other on one connection."""
    meter = Meter(1, task.emails)
    bodies = endless()
    with smtplib.SMTP(HOST, task.port) as smtp:
        smtp.ehlo()
        while not meter.over:
            _send(smtp, next(bodies)[1])
            meter.sent()
    return meter.sample()


def connection_per_email(task: Task) -> Sample:
    """As many scripts do it."""
    meter = Meter(1, task.emails)
    bodies = endless()
    while not meter.over:
        with smtplib.SMTP(HOST, task.port) as smtp:
            _send(smtp, next(bodies)[1])
        meter.sent()
    return meter.sample()


def _send(smtp: smtplib.SMTP, body: str) -> None:
    message = json.loads(body)
    smtp.sendmail(SENDER, address(message["recipient"]), mime_multipart(message))
