"""What the soak's witness takes for in doubt, and for a fault."""

from collections.abc import Callable

import pytest

from soak.mail import Mail
from soak.notes import Notes
from soak.witness import Sort, Witness

A = Mail("m0000001", "body of m0000001", ("m0000001.0@example.org",))
CONTENT = f"Date: now\r\n\r\nThis is {A.name}.\r\n".encode()


def took(witness: Witness, *, told: bool = True, life: int = 1) -> None:
    witness.accepted(life, A.name, A.recipients, CONTENT, told=told)


def claimed() -> Witness:
    """One life's claim is in the ledger, and the message in the queue."""
    witness = Witness()
    witness.held[A.name] = 1
    witness.claimed(1, A.name, "token", heard=True)
    return witness


def settled(witness: Witness) -> None:
    took(witness)
    witness.recorded(1, A.name, done=True)
    witness.ended(1, Sort.KILL)


def killed_before_the_record(witness: Witness) -> None:
    took(witness)
    witness.ended(1, Sort.KILL)


def deleted_before_the_record(witness: Witness) -> None:
    witness.received("id", "receipt", A.name)
    took(witness)
    witness.deleted(1, "receipt")
    witness.ended(1, Sort.KILL)


def never_told(witness: Witness) -> None:
    took(witness, told=False)
    witness.recorded(1, A.name, done=True)
    witness.ended(1, Sort.AWS)


def never_recorded(witness: Witness) -> None:
    took(witness)
    witness.recorded(1, A.name, done=False)
    witness.ended(1, Sort.AWS)


@pytest.mark.parametrize(
    ("happens", "doubt"),
    [
        (settled, ""),
        (killed_before_the_record, Sort.KILL),
        (deleted_before_the_record, ""),  # one acknowledgement is enough
        (never_told, Sort.DOT),
        (never_recorded, Sort.AWS),
    ],
)
def test_a_copy_is_in_doubt_only_without_any_acknowledgement(
    happens: Callable[[Witness], None], doubt: str
) -> None:
    witness = claimed()
    happens(witness)
    assert [one.doubt for one in witness.copies] == [doubt]
    assert witness.doubts.total() == bool(doubt)
    assert witness.faults == []


def test_a_claim_that_was_given_up_without_a_fault_is_no_event() -> None:
    witness = claimed()
    took(witness)
    witness.ended(1, Sort.AWS)
    assert witness.faults == [f"no result: {A.name} was given up without a fault"]
    assert not witness.copies[0].doubt


def test_an_email_without_a_lease_is_found() -> None:
    witness = claimed()
    took(witness, life=2)
    assert witness.faults == [f"undue copy: {A.name} sent without a lease"]


def test_an_email_with_anothers_content_is_found() -> None:
    witness = claimed()
    witness.accepted(1, A.name, A.recipients, CONTENT.replace(b"1.", b"2."), told=True)
    assert witness.faults == [f"unexpected: {A.name} with other content"]


def test_a_letter_over_a_doubt_that_is_put_back_is_noted() -> None:
    witness = Witness()
    notes = Notes(1, witness, "dead")
    for queue, reason in (("dead", "IN_DOUBT"), ("input", "IN_DOUBT")):
        attributes = {"reason": {"StringValue": reason}}
        entry = {"Id": "0", "MessageBody": A.name, "MessageAttributes": attributes}
        said = {"Successful": [{"Id": "0"}]}
        asked = {"QueueUrl": queue, "Entries": [entry]}
        notes.done("SendMessageBatch", asked, said, heard=True)
    assert witness.redriven[A.name] == 1
    assert witness.held[A.name] == 2
