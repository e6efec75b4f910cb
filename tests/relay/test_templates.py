"""The function finds its templates, in its package or in S3, and pays for Jinja only with them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from emulated import Account
from function import Function, email, guarded, invoke, once

SOURCE = Path(__file__).parents[2] / "lambda_src"


def templated(number: int, **fields: object) -> str:
    content = {"template": "hello", "context": {"name": "Ann"}, "body_text": None}
    return email(number, **(content | fields))


def test_templates_are_in_the_package(function: Function, account: Account) -> None:
    (function.root / "templates" / "hello").mkdir(parents=True)
    (function.root / "templates" / "hello" / "body.txt.j2").write_text("Hello {{ name }}")
    account.publish(templated(1))
    server = guarded()
    assert once(function, account, server).sent == 1
    assert b"Hello Ann" in server.accepted[0].content


def test_without_templates_in_the_package_they_are_missing(
    function: Function, account: Account
) -> None:
    account.publish(templated(1))
    assert once(function, account).dead_lettered == 1


async def test_templates_are_in_s3_and_what_is_compiled_outlives_a_run(
    function: Function, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3 = account.session.client("s3")
    s3.create_bucket(Bucket="mine", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="mine", Key="mail/hello/body.txt.j2", Body=b"Hello {{ name }}")
    monkeypatch.setenv("ION_TEMPLATES_S3", "s3://mine/mail")
    async with guarded() as server:
        function.knows(server)
        relay = function.relay()
        for number in range(2):
            account.publish(templated(number))
            assert (await invoke(relay)).sent == 1
            s3.delete_object(Bucket="mine", Key="mail/hello/body.txt.j2")
    assert all(b"Hello Ann" in one.content for one in server.accepted)


def test_jinja_is_imported_with_the_first_template_only(tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "body.txt.j2").write_text("x")
    program = (
        "import sys, json\n"
        "import ion.handler\n"
        "from ion.template import Renderer, Folder\n"
        "from pathlib import Path\n"
        "before = 'jinja2' in sys.modules\n"
        "Renderer(Folder(Path(sys.argv[1]))).render('t', {})\n"
        "print(json.dumps([before, 'jinja2' in sys.modules]))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        env={"PYTHONPATH": str(SOURCE), "POWERTOOLS_SERVICE_NAME": "ion"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(ran.stdout) == [False, True]
