"""What a configuration file says is taken as it stands; what would be passed over is refused."""

import pytest

from ion.config_file import ConfigFile, SettingsError

KNOWN = {"mail": ("sender", "name"), "log": ("level",)}


def read(
    text: str, environment: dict[str, str] | None = None, *, secret: bool = False
) -> ConfigFile:
    file = ConfigFile("a.cfg", text, environment or {}, is_secret=secret)
    file.refuse_unknown(KNOWN, "there may be [mail] and [log]", {"password": "b.cfg"})
    return file


def refused(text: str, *, secret: bool = False) -> str:
    with pytest.raises(SettingsError) as caught:
        read(text, secret=secret)
    return str(caught.value)


def name(value: str) -> str:
    return read(f"[mail]\nname = {value}\n").section("mail").text("name")


@pytest.mark.parametrize("text", ["\ufeff[mail]\nname = x", "[mail]\r\nname = x\r\n"])
def test_a_file_that_windows_has_written_is_read(text: str) -> None:
    assert read(text).section("mail").text("name") == "x"


def test_a_whole_text_may_be_indented() -> None:
    file = read("  [mail]\n  name = x\n\n  # said\n  sender : y\n  [log]\n    level=z\n")
    assert (file.section("mail").text("sender"), file.section("log").text("level")) == ("y", "z")


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ('"', '"'),
        ('"a', '"a'),
        ("a'", "a'"),
        ("\"a'", "\"a'"),
        ('a "b" c', 'a "b" c'),
        ('""a""', "a"),
        ('"""a"""', '"a"'),
        ('"" a ""', " a "),
        ('""a # b""', "a # b"),
        ('""\'a\'""', "'a'"),
        ('""???""', "???"),
        ("a#b;c", "a#b;c"),
    ],
)
def test_a_value_is_what_stands_there_or_between_two_double_quotes(
    written: str, value: str
) -> None:
    assert name(written) == value


@pytest.mark.row(32)
@pytest.mark.parametrize("written", ['"a"', "'a'", '""', "''", "'\"a\"'", '"a" and "b"'])
def test_a_value_in_quotes_is_refused_with_a_way_out(written: str) -> None:
    with pytest.raises(SettingsError, match=r'is in quotes: take them away .*between "" and ""'):
        name(written)


@pytest.mark.row(32)
@pytest.mark.parametrize("written", ["a # b", "a #b", "a ; b", "a\t;", '"a" # b'])
def test_a_value_with_a_comment_behind_it_is_refused_with_a_way_out(written: str) -> None:
    with pytest.raises(SettingsError, match=r'a line of its own .*between "" and ""'):
        name(written)


@pytest.mark.parametrize("written", ["Shop # 1 <a@b.example>", "Shop; <a@b.example>"])
def test_an_addresss_name_may_look_like_a_comment(written: str) -> None:
    file = read(f"[mail]\nsender = {written}\n")
    assert file.section("mail").address("sender", lambda text: text.endswith(">")) == written


@pytest.mark.row(32)
def test_a_key_is_told_by_its_own_line() -> None:
    text = "# sendr =\n[mail]\n\nsender = sendr = x\n; sendr =\n[log]\nlevel = [mail]\nsender = y"
    assert refused(text) == "a.cfg: line 8: [log] sender: unknown key; [log] has level"


@pytest.mark.row(32)
@pytest.mark.parametrize("line", ["  level = canary", "\tcanary", "\n  canary"])
def test_a_value_that_goes_on_over_another_line_is_refused(line: str) -> None:
    said = refused(f"[mail]\nname = x\n[log]\nlevel = y\n{line}\n", secret=True)
    assert said.startswith("a.cfg: line 4: [log] level: goes on over the next line, which is inden")
    assert "canary" not in said


@pytest.mark.row(32)
@pytest.mark.parametrize("more", [r"\nname = canary", " # canary", " name = canary"])
def test_what_stands_behind_a_section_is_refused(more: str) -> None:
    """Of a text whose line ends were escaped nothing but the first section would be read."""
    said = refused(f"[log]\n[mail]{more}", secret=True)
    assert said == "a.cfg: line 2: has more than [section]: put it on the next line"


@pytest.mark.row(32)
@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("name = canary", 1, "stands before the first [section] line"),
        ('{"canary": 1}', 1, "stands before the first [section] line"),
        ("[mail]\nname = x\n[mail]\n", 3, "a section that is there already"),
        ("[mail]\nname = x\nNAME = canary\n", 3, "a key that is in its section already"),
        ("[mail]\ncanary", 2, "is neither [section] nor key = value"),
        ("[mail]\n= canary", 2, "is neither [section] nor key = value"),
        ("[mail\nname = canary", 1, "stands before the first [section] line"),
    ],
)
def test_what_is_no_configuration_is_told_by_its_line(text: str, line: int, what: str) -> None:
    form = "a configuration has [section] lines and key = value lines"
    assert refused(text) == f"a.cfg: line {line}: {what}; {form}"


@pytest.mark.row(32)
@pytest.mark.parametrize("text", ["[canary]", "[mail]\ncanary = x", "[mail]\ncanary-names: x"])
def test_of_a_secret_nothing_unknown_is_repeated(text: str) -> None:
    assert "canary" in refused(text)
    assert "canary" not in refused(text, secret=True)


def test_a_variable_goes_before_the_file_and_is_read_in_the_same_way() -> None:
    file = read("[mail]\nname = x\n", {"ION_MAIL_NAME": "'y'", "ION_LOG_LEVEL": ' ""z"" '})
    assert file.section("log").text("level") == "z"
    with pytest.raises(SettingsError, match=r"^environment ION_MAIL_NAME: \[mail\] name: is in q"):
        file.section("mail").text("name")
