"""The zip is what any unzip expects, and says nothing of the machine that made it."""

import io
import zipfile

import pytest

from ionctl.build.archive import zipped

FILES = {"b/empty.txt": b"", "a.py": b"print('a')\n" * 1000, "b/noise.bin": bytes(range(256))}


def test_another_implementation_reads_back_what_went_in() -> None:
    with zipfile.ZipFile(io.BytesIO(zipped(FILES))) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == FILES


def test_order_of_the_files_does_not_matter() -> None:
    assert zipped(FILES) == zipped(dict(reversed(FILES.items())))


def test_entries_are_sorted_plain_files_of_the_first_day() -> None:
    with zipfile.ZipFile(io.BytesIO(zipped(FILES))) as archive:
        entries = archive.infolist()
    assert [entry.filename for entry in entries] == sorted(FILES)
    for entry in entries:
        assert entry.date_time == (1980, 1, 1, 0, 0, 0)
        assert entry.external_attr == 0o100644 << 16
        assert entry.compress_type == zipfile.ZIP_DEFLATED
        assert not entry.extra
        assert not entry.flag_bits


def test_name_that_unzips_disagree_about_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        zipped({"é.py": b""})
