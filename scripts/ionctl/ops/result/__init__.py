"""What commands give back, on a terminal as JSON and to the console: types, and nothing else.

Times are in UTC. null is "not known" or "none", as the field's words say. Fields may be added in
later versions, and are not renamed.
"""

from ionctl.ops.result.base import Result
from ionctl.ops.result.console import ConsoleAddress
from ionctl.ops.result.cost import Cost, CostLine
from ionctl.ops.result.doctor import Diagnosis, Finding, Grade
from ionctl.ops.result.letters import Edited, Letter, LetterGroup, Letters, Moved, ReasonCount
from ionctl.ops.result.life import (
    EmailFound,
    Emails,
    Life,
    LifeEvent,
    LifeState,
    ProviderNotice,
    SuppressionFound,
)
from ionctl.ops.result.orders import Cancelled, InForce, PauseInForce, StopInForce
from ionctl.ops.result.publishing import Checked, Checks, Fault, Loaded, Published, Rendered, Sent
from ionctl.ops.result.status import (
    AlarmState,
    Depth,
    HeldServer,
    Pace,
    Queues,
    Run,
    Status,
    Verdict,
)
from ionctl.ops.result.suppression import (
    AddressKnown,
    EntryLeftOut,
    Erased,
    Imported,
    SuppressionEntries,
    SuppressionEntry,
)

__all__ = [
    "AddressKnown",
    "AlarmState",
    "Cancelled",
    "Checked",
    "Checks",
    "ConsoleAddress",
    "Cost",
    "CostLine",
    "Depth",
    "Diagnosis",
    "Edited",
    "EmailFound",
    "Emails",
    "EntryLeftOut",
    "Erased",
    "Fault",
    "Finding",
    "Grade",
    "HeldServer",
    "Imported",
    "InForce",
    "Letter",
    "LetterGroup",
    "Letters",
    "Life",
    "LifeEvent",
    "LifeState",
    "Loaded",
    "Moved",
    "Pace",
    "PauseInForce",
    "ProviderNotice",
    "Published",
    "Queues",
    "ReasonCount",
    "Rendered",
    "Result",
    "Run",
    "Sent",
    "Status",
    "StopInForce",
    "SuppressionEntries",
    "SuppressionEntry",
    "SuppressionFound",
    "Verdict",
]
