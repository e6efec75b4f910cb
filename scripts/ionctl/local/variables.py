"""What a deployment is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

Settings = Mapping[str, Mapping[str, str]]
"""Overrides of config.cfg by section and key, as the module's variable `settings`."""


@dataclass(frozen=True, slots=True)
class Variables:
    """What the module is told, under the names of its variables; the rest is as it comes.

    Args:
        package: the Lambda package.
        secret_arn: of the SSM parameter that holds config-secrets.cfg's text.
        settings: overrides of config.cfg.
        alarm_topic_arns: topics of a person's, who is to hear the alarms.
        outbox: whether there is a table for messages that are elsewhere.
        attachment_buckets: ARNs of buckets that the function may read.
        events: whether it is told what became of each email.
        feedback: whether there are a topic and a function for what providers tell.
        unsubscribe: whether there is the function that links in emails lead to.
    """

    package: Path
    secret_arn: str
    settings: Settings = field(default_factory=dict)
    alarm_topic_arns: tuple[str, ...] = ()
    outbox: bool = False
    attachment_buckets: tuple[str, ...] = ()
    events: bool = False
    feedback: bool = False
    unsubscribe: bool = False
