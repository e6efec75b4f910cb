"""What a deployment consists of, read back through the AWS API, attribute by attribute.

Two deployments of the same thing have equal inventories. Left out is only what AWS makes up by
itself: dates, ids, counts, states.
"""

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from ionctl.local.iam_quirks import POLICY as QUIRKS
from ionctl.local.names import Names
from ionctl.ops.account import Account

Inventory = dict[str, Any]
"""Resource -> attribute -> value, all of it JSON."""

_MADE_UP = re.compile(
    r"(Created|Modified|Updated|Updated?Timestamp|LastModified|LastUpdate|Timestamp|DateTime|Date)"
)
_FUNCTION_URL = re.compile(r"https://[a-z0-9]{32}\.(?=lambda-url\.)")
"""With the id that AWS gives it."""
_STATE = frozenset(
    {
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesDelayed",
        "ApproximateNumberOfMessagesNotVisible",
        "CodeLocation",
        "EventSourceMappingArn",
        "LatestStreamLabel",
        "CreationTime",
        "RevisionId",
        "ResponseMetadata",
        "RoleId",
        "StateReason",
        "StateReasonData",
        "StateValue",
        "SubscriptionArn",
        "TableId",
        "UUID",
        "creationTime",
        "storedBytes",
    }
)


_STREAM = re.compile(r"(?<=/stream/)[0-9T:.-]+")
"""The moment at which a stream was made, in its ARN."""


def inventory(clients: Account, names: Names) -> Inventory:
    """Give all that there is of a deployment, and of everything else in its account."""
    found = {
        **_queues(clients),
        **_topics(clients),
        "function": _function(clients, names.function),
        "events function": _function(clients, names.events_function),
        "role": _role(clients, names.role),
        "events role": _role(clients, names.events_role),
        "unsubscribe function": _function(clients, names.unsubscribe),
        "unsubscribe role": _role(clients, names.unsubscribe_role),
        **_rule(clients, names),
        **_tables(clients),
        "alarms": clients.cloudwatch.describe_alarms()["MetricAlarms"],
        "log groups": clients.logs.describe_log_groups()["logGroups"],
        "functions": [
            one["FunctionName"] for one in clients.functions.list_functions()["Functions"]
        ],
        "roles": [one["RoleName"] for one in clients.iam.list_roles()["Roles"]],
        "rules": [one["Name"] for one in clients.events.list_rules()["Rules"]],
    }
    normal: Inventory = _normal(found, names)
    return normal


def _queues(clients: Account) -> Inventory:
    return {
        f"queue {url.rsplit('/', 1)[-1]}": {
            **clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"],
            "Tags": clients.sqs.list_queue_tags(QueueUrl=url).get("Tags", {}),
        }
        for url in clients.sqs.list_queues()["QueueUrls"]
    }


def _topics(clients: Account) -> Inventory:
    found: Inventory = {}
    for topic in clients.sns.list_topics()["Topics"]:
        arn = topic["TopicArn"]
        name = arn.rsplit(":", 1)[-1]
        found[f"topic {name}"] = {
            **clients.sns.get_topic_attributes(TopicArn=arn)["Attributes"],
            "Tags": clients.sns.list_tags_for_resource(ResourceArn=arn)["Tags"],
        }
        for one in clients.sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]:
            found[f"subscription of {one['Endpoint']} to {name}"] = (
                clients.sns.get_subscription_attributes(SubscriptionArn=one["SubscriptionArn"])
            )["Attributes"]
    return found


def _function(clients: Account, name: str) -> Inventory:
    """Give all that belongs to a function; nothing, if there is none of that name."""
    functions = clients.functions
    try:
        function = functions.get_function(FunctionName=name)
    except functions.exceptions.ResourceNotFoundException:
        return {}
    mappings = functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    found: Inventory = {
        **function["Configuration"],
        "Concurrency": function.get("Concurrency"),
        "Tags": function.get("Tags", {}),
        "EventSourceMappings": mappings,
    }
    with suppress(functions.exceptions.ResourceNotFoundException):
        config = functions.get_function_event_invoke_config(FunctionName=name)
        found["EventInvokeConfig"] = config
    if urls := functions.list_function_url_configs(FunctionName=name)["FunctionUrlConfigs"]:
        found["Urls"] = urls
    with suppress(functions.exceptions.ResourceNotFoundException):
        policy = json.loads(functions.get_policy(FunctionName=name)["Policy"])
        found["Policy"] = sorted(policy["Statement"], key=lambda one: str(one["Sid"]))
    return found


def _role(clients: Account, role: str) -> Inventory:
    iam = clients.iam
    try:
        found = iam.get_role(RoleName=role)["Role"]
    except iam.exceptions.NoSuchEntityException:
        return {}
    return {
        **found,
        "Policies": {
            policy: iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
            for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]
            if policy != QUIRKS
        },
        "Attached": iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"],
    }


def _rule(clients: Account, names: Names) -> Inventory:
    targets = clients.events.list_targets_by_rule(Rule=names.rule)["Targets"]
    return {
        "rule": {
            **clients.events.describe_rule(Name=names.rule),
            # the id is only a handle, made up by Terraform if not given
            "Targets": [
                {key: part for key, part in target.items() if key != "Id"} for target in targets
            ],
        }
    }


def _tables(clients: Account) -> Inventory:
    dynamodb = clients.dynamodb
    return {
        f"table {table}": {
            **dynamodb.describe_table(TableName=table)["Table"],
            **dynamodb.describe_time_to_live(TableName=table),
            **dynamodb.describe_continuous_backups(TableName=table),
        }
        for table in dynamodb.list_tables()["TableNames"]
    }


def _normal(value: Any, names: Names) -> Any:  # noqa: ANN401 - JSON
    """Give a value that is equal to another if both mean the same."""
    if isinstance(value, Mapping):
        return {
            _normal(key, names): _normal(part, names)
            for key, part in value.items()
            if not (_says_nothing(key) or part in (None, "", [], {}) or _is_default(key, part))
        }
    if isinstance(value, str):
        if value.startswith(("{", "[")):
            return _normal(json.loads(value), names)
        value = _STREAM.sub("LABEL", value)
        value = _FUNCTION_URL.sub("https://FUNCTION.", value)
        return value.replace(names.account, "ACCOUNT").replace(names.endpoint, "ENDPOINT")
    if isinstance(value, Iterable):
        # nothing here has an order that means something
        parts = sorted((_normal(part, names) for part in value), key=_order)
        # in a policy "a" and ["a"] are the same
        return parts[0] if len(parts) == 1 else parts
    return value


def _order(part: object) -> str:
    return json.dumps(part, sort_keys=True, default=str)


def _says_nothing(key: str) -> bool:
    return key in _STATE or _MADE_UP.search(key) is not None


def _is_default(key: str, value: object) -> bool:
    """Terraform's provider writes these down as well where they say what nothing would say."""
    return key.endswith("SuccessFeedbackSampleRate") and value == "0"
