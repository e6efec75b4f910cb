"""The section [guard]: what may be written in it, and that it is there where it has to be."""

from pathlib import Path

import pytest

from configured import loaded
from ion.guard_rules import GuardRules
from ion.settings import SettingsError


def rules(root: Path, **keys: str) -> GuardRules:
    return loaded(root, environment={f"ION_GUARD_{k.upper()}": v for k, v in keys.items()}).guard


def test_there_are_none_by_default(tmp_path: Path) -> None:
    assert rules(tmp_path) == GuardRules()


def test_a_configuration_of_before_has_none(tmp_path: Path) -> None:
    config = Path(__file__).parents[1].joinpath("config.cfg").read_text(encoding="utf-8")
    before, _, after = config.partition("[guard]")
    older = f"{before}[log]{after.partition('[log]')[2]}"
    assert "guard" not in older
    assert loaded(tmp_path, config=older).guard == GuardRules()


def test_patterns_stand_between_commas(tmp_path: Path) -> None:
    given = rules(
        tmp_path,
        only=' *@example.com,ann@partner.test , "a, b"@x.test,bücher.example, ',
        redirect_to="Inbox <inbox@example.com>",
        required="true",
        senders="example.com",
    )
    assert given == GuardRules(
        only=("*@example.com", "ann@partner.test", '"a, b"@x.test', "bücher.example"),
        redirect_to="Inbox <inbox@example.com>",
        senders=("example.com",),
    )


@pytest.mark.parametrize("key", ["only", "senders"])
@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("canary@", 1),
        ("@canary.test", 1),
        ("ann@canary.test, canary..test", 2),
        ("*", 1),
        ("*@*", 1),
        ("*@*.canary.test", 1),
        ("*.canary.test", 1),
        ("canary*@x.test", 1),
        ('"*"@canary.test', 1),
        ("Ann <canary@x.test>", 1),
        ("a@canary.test b@x.test", 1),
        ("a@canary.test; b@x.test", None),
        ('x.test, "canary', 2),
        (" , ,", None),
    ],
)
def test_what_means_no_mailbox_is_refused_and_not_repeated(
    tmp_path: Path, key: str, text: str, entry: int | None
) -> None:
    where = rf"environment ION_GUARD_{key.upper()}: \[guard\] {key}: "
    with pytest.raises(SettingsError, match=where) as caught:
        rules(tmp_path, **{key: text})
    assert "canary" not in str(caught.value)
    if entry:
        assert f": entry {entry} must be ann@example.org, *@example.org or" in str(caught.value)


@pytest.mark.parametrize("text", ["canary", "*@canary.test", "a@canary.test, b@canary.test"])
def test_a_redirect_is_one_address(tmp_path: Path, text: str) -> None:
    with pytest.raises(
        SettingsError, match=r"\[guard\] redirect_to: is no email address"
    ) as caught:
        rules(tmp_path, redirect_to=text)
    assert "canary" not in str(caught.value)


@pytest.mark.row(80)
@pytest.mark.parametrize("others", [{}, {"senders": "example.com"}, {"only": " "}])
def test_a_guard_that_is_required_and_not_there_is_an_error(
    tmp_path: Path, others: dict[str, str]
) -> None:
    with pytest.raises(SettingsError, match=r"\[guard\] required: is true, .*name in only"):
        rules(tmp_path, required="true", **others)


@pytest.mark.row(80)
@pytest.mark.parametrize("rule", [{"only": "x.test"}, {"redirect_to": "a@x.test"}])
def test_either_way_of_limiting_recipients_is_enough(tmp_path: Path, rule: dict[str, str]) -> None:
    assert rules(tmp_path, required="true", **rule) == rules(tmp_path, **rule)


@pytest.mark.parametrize("text", ["yes", "True", "1"])
def test_required_is_true_or_false(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError, match="must be one of true, false"):
        rules(tmp_path, required=text)
