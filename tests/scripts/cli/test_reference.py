"""docs/ionctl.md and docs/schema/ionctl.json say what the program says."""

import json
import re

import pytest
from jsonschema import Draft202012Validator

from ionctl.reference.page import FILE, commands, page
from ionctl.reference.results import COMMANDS, result_schema
from ionctl.reference.results import FILE as SCHEMA
from terminal import Ionctl

WITHOUT_RESULT = {"wake", "tail", "console", "load"}
"""Commands that print nothing that has an end, or nothing at all."""


def test_the_page_is_current() -> None:
    assert FILE.read_text(encoding="utf-8") == page(), "run scripts/reference"


def test_each_command_is_described_once_and_says_what_it_does() -> None:
    headings = re.findall(r"(?m)^### (.+)$", page())
    names = [name for name, _ in commands()]
    assert [one for one in headings if one in names] == names
    for name, command in commands():
        assert command.help, name
        for option in command.params:
            assert option.name == "ctx" or option.help or option.param_type_name == "argument", (
                f"{name}: {option.name} has no help"
            )


def test_each_command_that_prints_json_has_a_schema() -> None:
    names = {name for name, _ in commands()}
    assert names - COMMANDS.keys() <= WITHOUT_RESULT, "add it to reference/results.py"


def test_the_schema_is_one_and_each_type_says_what_it_is() -> None:
    schema = result_schema()
    Draft202012Validator.check_schema(schema)
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == schema, "run scripts/reference"
    for name, one in schema["$defs"].items():
        assert one["description"], name
        assert "Args:" not in one["description"]
    assert schema["$defs"]["Pace"]["properties"]["rate"]["description"].startswith("recipients a")
    for command in schema["commands"].values():
        assert command["$ref"].removeprefix("#/$defs/") in schema["$defs"]


@pytest.mark.parametrize("group", [(), ("dead",)])
def test_the_list_of_commands_cuts_none_of_their_summaries(
    ionctl: Ionctl, group: tuple[str, ...]
) -> None:
    help_ = " ".join(ionctl(*group, "--help").out.split())
    for name, command in commands():
        if name.split()[:-1] == list(group):
            summary = " ".join(command.help.strip().partition("\n")[0].split())
            assert f"{name.split()[-1]} {summary}" in help_


def test_the_help_of_a_group_names_all_that_is_in_it(ionctl: Ionctl) -> None:
    help_ = ionctl("--help").out
    (listed,) = re.findall(r"Dead letters: (.*)\.", help_)
    own = [name.removeprefix("dead ") for name, _ in commands() if name.startswith("dead ")]
    assert sorted(listed.split(", ")) == sorted(own)


def test_usage_has_a_bracket_for_each_that_it_opens() -> None:
    for usage in re.findall(r"(?m)^ionctl .*$", page()):
        assert usage.count("[") == usage.count("]"), usage
