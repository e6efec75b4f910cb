"""The saved queries ask for what the function's log really has."""

import re

import pytest

from alarms.every_kind import every_kind_of_run
from alarms.lines import events
from alarms.planned import Planned
from alarms.world import World

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

COMMANDS = {"fields", "filter", "sort", "limit", "stats"}
WORDS = {"asc", "desc", "and", "or", "not", "in", "by", "as", "like"}
THEIRS = {"@timestamp", "@message"}
"""Fields that Logs Insights adds."""
MADE_UP = {"order-17"}
"""To be replaced."""


def commands(query: str) -> list[str]:
    """Without comments."""
    text = "\n".join(line for line in query.splitlines() if not line.startswith("#"))
    return [part.strip() for part in text.split("|") if part.strip()]


def without_strings(text: str) -> str:
    return re.sub(r"'[^']*'", "", text)


def asked(query: str) -> set[str]:
    """Fields that a query names."""
    found = set[str]()
    for command in commands(query):
        name, _, rest = without_strings(command).partition(" ")
        if name == "stats":
            rest = re.sub(r"\w+\([^)]*\) as \w+", "", rest)
        elif name == "sort" and "emails" in rest:
            continue
        found |= set(re.findall(r"@?[A-Za-z_][A-Za-z_]*", rest)) - WORDS
    return found


def quoted(query: str) -> set[str]:
    """Texts that it compares `message` with."""
    return {
        text
        for command in commands(query)
        for part in re.findall(r"message (?:=|in) ('[^']*'|\[[^]]*\])", command)
        for text in re.findall(r"'([^']*)'", part)
    }


def queries(planned: Planned) -> dict[str, str]:
    """The saved ones, and those on the dashboard."""
    widgets = [one for one in planned.dashboard["widgets"] if one["type"] == "log"]
    drawn = {
        one["properties"]["title"]: one["properties"]["query"].partition("|")[2] for one in widgets
    }
    return {**planned.queries, **drawn}


async def test_their_fields_are_those_of_real_log_events(planned: Planned, world: World) -> None:
    await every_kind_of_run(world)
    written = {name for event in events(world.lines) for name in event}
    said = {event["message"] for event in events(world.lines)}
    for key, query in queries(planned).items():
        assert asked(query) - written - THEIRS == set(), key
        assert quoted(query) - said == set(), key
    assert len(queries(planned)) == 6


def test_each_begins_with_a_command_that_logs_insights_has(planned: Planned) -> None:
    for query in queries(planned).values():
        assert {command.split()[0] for command in commands(query)} <= COMMANDS


@pytest.mark.parametrize(
    "key", ["an-emails-life", "emails-to-an-address", "held-and-why", "slowest"]
)
def test_a_saved_query_says_in_its_first_line_what_it_is_for(planned: Planned, key: str) -> None:
    assert planned.queries[key].startswith("# ")


def test_the_dashboard_looks_into_the_functions_log(planned: Planned) -> None:
    widgets = [one for one in planned.dashboard["widgets"] if one["type"] == "log"]
    assert {one["properties"]["query"].split(" |")[0] for one in widgets} == {
        "SOURCE '/aws/lambda/ion'"
    }
