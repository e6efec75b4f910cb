"""What is written to a pipe: whole lines, whatever width a terminal would have."""

from pathlib import Path

from function import email
from ionctl.ops import local_stack
from ionctl_program import ionctl
from letters import written
from relays import Operated


def test_a_sentence_is_not_wrapped(tmp_path: Path) -> None:
    file = tmp_path / f"{'long ' * 30}.json"
    file.write_text(email(email_id="order-17"))
    ended = ionctl("check", str(file), columns=80)
    assert ended.out.startswith(f"{file}: ok: send, order-17, ")
    assert ended.out.count("\n") == 1


def test_a_table_is_not_cut_nor_filled_with_blanks(local: Operated) -> None:
    subject = "an email about " * 20
    attributes = {"reason": "RCPT_REJECTED", "reply": "550 no", "ion": written()}
    url = local.names.dead_letter_queue_url
    local.queued(email(1, subject=subject), url, attributes=attributes)
    ended = ionctl("--local", "dead", "list", stack=local_stack.local_file(), columns=80)
    assert subject.strip() in ended.out
    assert max(map(len, ended.out.splitlines())) < 1000
