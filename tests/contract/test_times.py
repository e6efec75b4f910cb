"""A time is what RFC 3339 writes, with a zone; anything else is refused, and not guessed at."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ion.contract import read_time

NINE = datetime(2027, 3, 8, 9, tzinfo=UTC)
AN_HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2027-03-08T09:00:00Z", NINE),
        ("2027-03-08t09:00:00z", NINE),
        ("2027-03-08T09:00:00+00:00", NINE),
        ("2027-03-08T09:00:00-00:00", NINE),
        ("2027-03-08T09:00:00+01:00", NINE - AN_HOUR),
        ("2027-03-08T09:00:00-11:30", NINE + timedelta(hours=11, minutes=30)),
        ("2027-03-08T09:00:00.5Z", NINE + timedelta(seconds=0.5)),
        ("2027-03-08T09:00:00.0000019Z", NINE + timedelta(microseconds=1)),
        ("2028-02-29T00:00:00Z", datetime(2028, 2, 29, tzinfo=UTC)),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_in_utc(text: str, time: datetime) -> None:
    assert read_time(text) == time
    assert read_time(text).tzinfo is UTC


NO_TIMES = [
    "",
    "tomorrow",
    "1803546000",
    "2027-03-08",
    "2027-03-08T09:00:00",
    "2027-03-08T09:00Z",
    "2027-03-08T09Z",
    "2027-03-08 09:00:00Z",
    "20270308T090000Z",
    "2027-W10-1T09:00:00Z",
    "2027-067T09:00:00Z",
    "2027-3-8T09:00:00Z",
    "2027-03-08T09:00:00,5Z",
    "2027-03-08T09:00:00.Z",
    "2027-03-08T09:00:00+0100",
    "2027-03-08T09:00:00+01",
    "2027-03-08T09:00:00+24:00",
    "2027-03-08T09:00:00+01:60",
    "2027-03-08T09:00:00 Z",
    "2027-03-08T09:00:00 UTC",
    "2027-03-08T09:00:00Z\n",
    "2027-03-08T24:00:00Z",
    "2027-03-08T09:60:00Z",
    "2027-03-08T23:59:60Z",
    "2027-00-08T09:00:00Z",
    "2027-13-08T09:00:00Z",
    "2027-02-29T09:00:00Z",
    "2027-04-31T09:00:00Z",
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00+01:00",
    "9999-12-31T23:59:59-01:00",
    "٢٠٢٧-03-08T09:00:00Z",
    "+2027-03-08T09:00:00Z",
]


@pytest.mark.parametrize("text", NO_TIMES)
def test_what_is_no_time_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ValueError, match=r"^no time$"):
        read_time(text)


@given(st.datetimes(timezones=st.timezones()))
def test_what_python_writes_with_a_zone_is_read(time: datetime) -> None:
    written = time.astimezone(UTC) if (time.utcoffset() or AN_HOUR).seconds % 60 else time
    try:
        in_utc = written.astimezone(UTC)
    except OverflowError:
        return
    assert read_time(written.isoformat()) == in_utc


@given(st.text(st.sampled_from("0123456789-:.+TtZz ")) | st.text())
@example("2027-03-08T09:00:00Z")
def test_any_text_is_a_time_or_refused(text: str) -> None:
    with suppress(ValueError):
        assert read_time(text).utcoffset() == timedelta(0)
