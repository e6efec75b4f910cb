"""Options that each command has, and what is said when its relay can't be found."""

import json
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from ionctl.cli.target import Target, on_target
from ionctl.ops import local_stack
from ionctl.problem import Problem
from relays import Operated


def _app(seen: list[object]) -> typer.Typer:
    app = typer.Typer(rich_markup_mode=None)

    @app.callback()
    @on_target
    def _all(_target: Target) -> None:
        """The options before a command's name."""

    @app.command()
    @on_target
    def look(
        target: Target,
        key: Annotated[str, typer.Argument()],
        most: Annotated[int, typer.Option()] = 3,
    ) -> None:
        """Look at it."""
        seen.extend((target, key, most))

    return app


@pytest.mark.parametrize(
    "words",
    [
        ["--name", "shop", "--json", "look", "k"],
        ["look", "k", "--name", "shop", "--json"],
        ["--name", "other", "look", "--name", "shop", "--json", "k"],
        ["--json", "look", "k", "--name", "shop"],
    ],
)
def test_options_may_stand_before_the_command_or_after_it(words: list[str]) -> None:
    seen: list[object] = []
    result = CliRunner().invoke(_app(seen), words)
    assert result.exit_code == 0, result.output
    assert seen == [Target(name="shop", as_json=True), "k", 3]


def test_a_commands_own_options_stay_its_own() -> None:
    seen: list[object] = []
    words = ["--profile", "work", "look", "--most", "9", "k", "--region", "eu-west-3", "--local"]
    CliRunner().invoke(_app(seen), words)
    assert seen == [Target(profile="work", region="eu-west-3", local=True), "k", 9]


def test_the_name_may_be_in_the_environment() -> None:
    seen: list[object] = []
    CliRunner().invoke(_app(seen), ["look", "k"], env={"ION_NAME": "shop"})
    assert seen[0] == Target(name="shop")


@pytest.mark.parametrize(
    "words", [["--name", "typed", "look", "k"], ["look", "k", "--name", "typed"]]
)
def test_what_is_typed_goes_before_the_environment(words: list[str]) -> None:
    seen: list[object] = []
    CliRunner().invoke(_app(seen), words, env={"ION_NAME": "shop", "AWS_REGION": "eu-west-1"})
    assert seen[0] == Target(name="typed", region="eu-west-1")


def test_a_mistake_on_the_command_line_is_status_2() -> None:
    assert CliRunner().invoke(_app([]), ["look"]).exit_code == 2
    assert CliRunner().invoke(_app([]), ["look", "k", "--colour"]).exit_code == 2


def test_local_is_the_relay_of_the_running_stack(
    relay: Operated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(local_stack.FILE_VARIABLE, "")
    relay.local_file(tmp_path / "stack.json")
    deployment = Target(local=True).deployment()
    assert deployment.queue_url == relay.names.queue_url
    with pytest.raises(Problem, match="no relay called shop"):
        Target(local=True, name="shop").deployment()
    assert Target(local=True).account().endpoint_url == relay.names.endpoint


def test_local_is_the_relay_of_that_stack_however_it_is_called(
    relay: Operated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(local_stack.FILE_VARIABLE, "")
    shop = Operated(relay.names.endpoint, tmp_path, name="shop")
    shop.local_file(tmp_path / "stack.json")
    assert Target(local=True).deployment().queue_url == shop.names.queue_url


def test_without_a_name_it_is_the_usual_one(
    relay: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", relay.names.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", relay.names.access_key)
    assert Target().deployment().name == "ion"


@pytest.mark.usefixtures("credentials")
def test_profile_and_region_say_which_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text("[profile work]\nregion = eu-north-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    work = Target(profile="work").account()
    assert (work.session.profile_name, work.region) == ("work", "eu-north-1")
    assert Target(profile="work", region="eu-west-3").account().region == "eu-west-3"


def test_local_without_a_stack_says_how_to_start_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(local_stack.FILE_VARIABLE, str(tmp_path / "none.json"))
    with pytest.raises(Problem, match=r"start one with \./run.sh"):
        Target(local=True).deployment()
    (tmp_path / "none.json").write_text(json.dumps({"pid": 1}))
    with pytest.raises(Problem, match=r"start \./run.sh anew"):
        Target(local=True).account()
