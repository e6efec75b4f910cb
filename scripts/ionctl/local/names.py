"""What the resources of one deployment are called: as terraform/ derives it from `var.name`.

Written a second time here, and nowhere else. The agreement test compares the two.
"""

from dataclasses import dataclass

from ionctl.local.ministack import ACCOUNT, CREDENTIALS, REGION


@dataclass(frozen=True, slots=True)
class Names:
    """Names, ARNs and URLs of one deployment.

    Args:
        access_key: of the account's administrator.
        files: a bucket that isn't the module's, for what messages name in S3.
        secret: of the SSM parameter that holds config-secrets.cfg's text; Terraform gets its ARN.
    """

    endpoint: str
    account: str
    access_key: str
    name: str
    function: str
    function_arn: str
    role: str
    role_arn: str
    log_group: str
    log_group_arn: str
    topic: str
    topic_arn: str
    bulk_topic: str
    bulk_topic_arn: str
    alarm: str
    alarm_arn: str
    bulk_alarm: str
    bulk_alarm_arn: str
    later_alarm: str
    later_alarm_arn: str
    alarm_topic: str
    alarm_topic_arn: str
    queue: str
    queue_arn: str
    queue_url: str
    bulk_queue: str
    bulk_queue_arn: str
    bulk_queue_url: str
    later_queue: str
    later_queue_arn: str
    later_queue_url: str
    dead_letter_queue: str
    dead_letter_queue_arn: str
    dead_letter_queue_url: str
    rule: str
    rule_arn: str
    table: str
    table_arn: str
    outbox: str
    outbox_arn: str
    outcome_topic: str
    outcome_topic_arn: str
    events_function: str
    events_function_arn: str
    events_role: str
    events_role_arn: str
    events_log_group: str
    events_log_group_arn: str
    events_queue: str
    events_queue_arn: str
    events_queue_url: str
    feedback_function: str
    feedback_function_arn: str
    feedback_role: str
    feedback_role_arn: str
    feedback_log_group: str
    feedback_log_group_arn: str
    feedback_topic: str
    feedback_topic_arn: str
    feedback_queue: str
    feedback_queue_arn: str
    feedback_queue_url: str
    feedback_dead_letter_queue: str
    feedback_dead_letter_queue_arn: str
    feedback_dead_letter_queue_url: str
    files: str
    files_arn: str
    unsubscribe: str
    unsubscribe_arn: str
    unsubscribe_role: str
    unsubscribe_role_arn: str
    unsubscribe_log_group: str
    unsubscribe_log_group_arn: str
    secret: str
    secret_arn: str


def names_of(endpoint: str, account: str = ACCOUNT, name: str = "ion") -> Names:
    """Give the names of a deployment.

    Args:
        endpoint: of the emulated AWS: a queue's URL begins with it.
        account: 12 digits, which to ministack are also its administrator's key.
        name: the module's `name`.
    """

    def arn(service: str, resource: str) -> str:
        return f"arn:aws:{service}:{REGION}:{account}:{resource}"

    queue, dead_letter_queue = f"{name}-input-queue", f"{name}-input-deadletter-queue"
    bulk_queue, later_queue = f"{name}-bulk-queue", f"{name}-later-queue"
    bulk_topic, bulk_alarm = f"{name}-bulk-topic", f"{bulk_queue}-size-alarm"
    later_alarm = f"{later_queue}-size-alarm"
    topic, role, log_group = f"{name}-input-topic", f"{name}-lambda-role", f"/aws/lambda/{name}"
    alarm, rule, secret = f"{queue}-size-alarm", f"{name}-sweep", f"/{name}/config-secrets"
    alarm_topic, table = f"{alarm}-topic", f"{name}-ledger"
    outcome_topic, events, events_role = (
        f"{name}-outcome-topic",
        f"{name}-events",
        f"{name}-events-role",
    )
    events_log_group, events_queue = f"/aws/lambda/{events}", f"{events}-failure-queue"
    feedback = f"{name}-feedback"
    feedback_log_group, feedback_topic = f"/aws/lambda/{feedback}", f"{feedback}-topic"
    feedback_queue, feedback_dead = f"{feedback}-queue", f"{feedback}-deadletter-queue"
    unsubscribe = f"{name}-unsubscribe"
    unsubscribe_log_group = f"/aws/lambda/{unsubscribe}"
    return Names(
        endpoint=endpoint,
        account=account,
        access_key=CREDENTIALS["AWS_ACCESS_KEY_ID"] if account == ACCOUNT else account,
        name=name,
        function=name,
        function_arn=arn("lambda", f"function:{name}"),
        role=role,
        role_arn=f"arn:aws:iam::{account}:role/{role}",
        log_group=log_group,
        log_group_arn=arn("logs", f"log-group:{log_group}"),
        topic=topic,
        topic_arn=arn("sns", topic),
        bulk_topic=bulk_topic,
        bulk_topic_arn=arn("sns", bulk_topic),
        alarm=alarm,
        alarm_arn=arn("cloudwatch", f"alarm:{alarm}"),
        bulk_alarm=bulk_alarm,
        bulk_alarm_arn=arn("cloudwatch", f"alarm:{bulk_alarm}"),
        later_alarm=later_alarm,
        later_alarm_arn=arn("cloudwatch", f"alarm:{later_alarm}"),
        alarm_topic=alarm_topic,
        alarm_topic_arn=arn("sns", alarm_topic),
        queue=queue,
        queue_arn=arn("sqs", queue),
        queue_url=f"{endpoint}/{account}/{queue}",
        bulk_queue=bulk_queue,
        bulk_queue_arn=arn("sqs", bulk_queue),
        bulk_queue_url=f"{endpoint}/{account}/{bulk_queue}",
        later_queue=later_queue,
        later_queue_arn=arn("sqs", later_queue),
        later_queue_url=f"{endpoint}/{account}/{later_queue}",
        dead_letter_queue=dead_letter_queue,
        dead_letter_queue_arn=arn("sqs", dead_letter_queue),
        dead_letter_queue_url=f"{endpoint}/{account}/{dead_letter_queue}",
        rule=rule,
        rule_arn=arn("events", f"rule/{rule}"),
        table=table,
        table_arn=arn("dynamodb", f"table/{table}"),
        outbox=f"{name}-outbox",
        outbox_arn=arn("dynamodb", f"table/{name}-outbox"),
        outcome_topic=outcome_topic,
        outcome_topic_arn=arn("sns", outcome_topic),
        events_function=events,
        events_function_arn=arn("lambda", f"function:{events}"),
        events_role=events_role,
        events_role_arn=f"arn:aws:iam::{account}:role/{events_role}",
        events_log_group=events_log_group,
        events_log_group_arn=arn("logs", f"log-group:{events_log_group}"),
        events_queue=events_queue,
        events_queue_arn=arn("sqs", events_queue),
        events_queue_url=f"{endpoint}/{account}/{events_queue}",
        feedback_function=feedback,
        feedback_function_arn=arn("lambda", f"function:{feedback}"),
        feedback_role=feedback,
        feedback_role_arn=f"arn:aws:iam::{account}:role/{feedback}",
        feedback_log_group=feedback_log_group,
        feedback_log_group_arn=arn("logs", f"log-group:{feedback_log_group}"),
        feedback_topic=feedback_topic,
        feedback_topic_arn=arn("sns", feedback_topic),
        feedback_queue=feedback_queue,
        feedback_queue_arn=arn("sqs", feedback_queue),
        feedback_queue_url=f"{endpoint}/{account}/{feedback_queue}",
        feedback_dead_letter_queue=feedback_dead,
        feedback_dead_letter_queue_arn=arn("sqs", feedback_dead),
        feedback_dead_letter_queue_url=f"{endpoint}/{account}/{feedback_dead}",
        files=f"{name}-files",
        files_arn=f"arn:aws:s3:::{name}-files",
        unsubscribe=unsubscribe,
        unsubscribe_arn=arn("lambda", f"function:{unsubscribe}"),
        unsubscribe_role=f"{unsubscribe}-role",
        unsubscribe_role_arn=f"arn:aws:iam::{account}:role/{unsubscribe}-role",
        unsubscribe_log_group=unsubscribe_log_group,
        unsubscribe_log_group_arn=arn("logs", f"log-group:{unsubscribe_log_group}"),
        secret=secret,
        secret_arn=arn("ssm", f"parameter{secret}"),
    )
