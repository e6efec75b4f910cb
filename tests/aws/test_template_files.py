"""Templates in S3: a list now and then, and each content once."""

from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest

from clock import Clock
from emulated import (
    AWS_SECRET_TEXT,
    REGION,
    Account,
    Answer,
    Between,
    Request,
    failing,
    unreachable,
)
from ion.aws.template_files import TemplateFiles
from ion.contract import BadInput
from ion.template import FilesUnavailableError, Renderer

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET, PREFIX = "templates", "mail/v1/"


class Bucket:
    """A bucket with templates below a prefix, and other things beside them."""

    def __init__(self, account: Account, clock: Clock, prefix: str = PREFIX) -> None:
        self.client = boto3.client("s3", region_name=REGION)
        self.client.create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        self.put("body.txt", "beside the prefix", "mail/body.txt.j2")
        self.put("readme", "no template", f"{prefix}welcome/readme.txt")
        self._prefix = prefix
        self._clock = clock

    def put(self, name: str, text: str, key: str = "") -> None:
        key = key or f"{self._prefix}welcome/{name}.j2"
        self.client.put_object(Bucket=BUCKET, Key=key, Body=text.encode())

    def files(self, **answers: Answer) -> tuple[TemplateFiles, Between]:
        between = Between(self.client, answers)
        client = cast("S3Client", between)
        return TemplateFiles(lambda: client, BUCKET, self._prefix, self._clock), between


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bucket(account: Account, clock: Clock) -> Bucket:
    return Bucket(account, clock)


def test_files_are_those_below_the_prefix_that_are_templates(bucket: Bucket) -> None:
    bucket.put("body.txt", "Hello {{ name }}")
    files, _ = bucket.files()
    assert files.refresh(0) is True
    assert set(files.names()) == {"welcome/body.txt.j2"}
    assert files.read("welcome/body.txt.j2") == b"Hello {{ name }}"
    assert files.read("welcome/readme.txt") is None
    assert files.read("../body.txt.j2") is None


def test_a_list_of_many_pages_is_read_to_its_end(bucket: Bucket) -> None:
    def by_twos(real: Any, request: Request) -> Any:  # noqa: ANN401
        return real(**request | {"MaxKeys": 2})

    for number in range(7):
        bucket.put(f"body.l{number}.txt", "x")
    files, between = bucket.files(list_objects_v2=by_twos)
    files.refresh(0)
    assert len(files.names()) == 7
    assert len(between.asked("list_objects_v2")) == 4


def test_more_files_than_a_person_writes_are_no_templates(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ion.aws.template_files.MOST_FILES", 1)
    bucket.put("body.txt", "x")
    bucket.put("body.html", "x")
    with pytest.raises(FilesUnavailableError, match="TooManyFiles"):
        bucket.files()[0].refresh(0)


def test_a_content_is_fetched_once_until_it_is_another(bucket: Bucket, clock: Clock) -> None:
    bucket.put("body.txt", "one {{ x }}")
    files, between = bucket.files()
    renderer = Renderer(files)

    def said() -> str:
        files.refresh(clock() - 60)
        return renderer.render("welcome", {"x": 1}).text

    assert {said() for _ in range(3)} == {"one 1"}
    bucket.put("body.txt", "two {{ x }}")
    clock.passes(60)
    assert said() == "one 1"
    assert len(between.asked("list_objects_v2")) == 1
    clock.passes(1)
    assert said() == "two 1"
    assert said() == "two 1"
    assert len(between.asked("list_objects_v2")) == 2
    assert len(between.asked("get_object")) == 2


@pytest.mark.parametrize("ill", [failing("InternalError"), failing("AccessDenied"), unreachable])
def test_where_s3_cant_be_asked_nothing_is_known(bucket: Bucket, ill: Answer) -> None:
    files, _ = bucket.files(list_objects_v2=ill)
    with pytest.raises(FilesUnavailableError) as caught:
        files.refresh(0)
    assert AWS_SECRET_TEXT not in str(caught.value)
    with pytest.raises(FilesUnavailableError):
        Renderer(files).render("welcome", {})


def test_s3_that_is_down_is_asked_again_only_after_a_while(bucket: Bucket, clock: Clock) -> None:
    files, between = bucket.files(list_objects_v2=failing("SlowDown"))
    for _ in range(5):
        with pytest.raises(FilesUnavailableError, match="SlowDown"):
            files.refresh(clock())
    assert len(between.asked("list_objects_v2")) == 1
    clock.passes(30)
    with pytest.raises(FilesUnavailableError, match="SlowDown"):
        files.refresh(clock())
    assert len(between.asked("list_objects_v2")) == 2


def test_what_is_compiled_is_used_while_s3_is_down(bucket: Bucket, clock: Clock) -> None:
    answers = iter([lambda real, request: real(**request)])

    def once(real: Any, request: Request) -> Any:  # noqa: ANN401
        return next(answers, failing())(real, request)

    bucket.put("body.txt", "Hello")
    files, _ = bucket.files(list_objects_v2=once)
    renderer = Renderer(files)
    files.refresh(clock())
    assert renderer.render("welcome", {}).text == "Hello"
    clock.passes(61)
    with pytest.raises(FilesUnavailableError):
        files.refresh(clock() - 60)
    assert renderer.render("welcome", {}).text == "Hello"


def test_a_file_that_cant_be_read_is_unavailable_and_not_missing(bucket: Bucket) -> None:
    bucket.put("body.txt", "Hello")
    files, _ = bucket.files(get_object=failing("AccessDenied"))
    files.refresh(0)
    with pytest.raises(FilesUnavailableError, match="AccessDenied"):
        Renderer(files).render("welcome", {})


def test_a_file_that_is_gone_since_it_was_listed_is_missing(bucket: Bucket) -> None:
    bucket.put("body.txt", "Hello")
    files, _ = bucket.files()
    files.refresh(0)
    bucket.client.delete_object(Bucket=BUCKET, Key=f"{PREFIX}welcome/body.txt.j2")
    with pytest.raises(BadInput, match="there is no"):
        Renderer(files).render("welcome", {})


def test_the_whole_bucket_may_be_templates(account: Account, clock: Clock) -> None:
    bucket = Bucket(account, clock, prefix="")
    bucket.put("body.txt", "Hello")
    files, _ = bucket.files()
    files.refresh(0)
    assert Renderer(files).render("welcome", {}).text == "Hello"


def test_of_a_file_that_is_too_large_no_more_is_read_than_tells_so(bucket: Bucket) -> None:
    bucket.put("body.txt", "x" * 2_000_000)
    files, _ = bucket.files()
    files.refresh(0)
    assert len(files.read("welcome/body.txt.j2") or b"") == 512 * 1024 + 1
