"""The examples in docs: events of canned records."""

import json

from events.telling import RELAY, Json, record
from ion.events.change import happenings
from ion.events.cloud_event import cloud_event, message
from ionctl.files import ROOT

FOLDER = ROOT / "docs" / "examples" / "events"

OF = {
    "sent": ("sent", 0),
    "deferred": ("deferred_again", 0),
    "bounced": ("bounced", 0),
    "bounced-bad-input": ("bad_input", 0),
    "expired": ("expired", 0),
    "in_doubt": ("in_doubt", 0),
    "cancelled": ("cancelled", 0),
    "stopped": ("stopped", 0),
    "suppressed": ("some_bounced", 2),
    "delivered": ("delivered", 0),
    "complained": ("complained", 0),
}
"""Example: the record that it is made of, and which of its events it is."""


def example(name: str) -> Json:
    """What the file of that name has to be."""
    source, which = OF[name]
    event = cloud_event(happenings(record(source))[which], RELAY, attempts=True)
    assert event is not None
    made: Json = json.loads(message(event).body)
    return made


if __name__ == "__main__":  # writes them anew
    for name in OF:
        text = json.dumps(example(name), indent=2, ensure_ascii=False)
        (FOLDER / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")
