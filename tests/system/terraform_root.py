"""A root of Terraform's, applied to an account of the emulated AWS, and what it plans to change."""

import json
import weakref
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ionctl.local.ministack import Ministack
from ionctl.local.names import Names
from ionctl.local.terraform import Copy, emulated
from system.provider import attached

_SAVED = "saved.tfplan"
_COMPLETED = Path(__file__).with_name("completed")

Changes = dict[str, dict[str, Any]]
"""Address of a resource -> attribute -> its value after; an attribute known only after: UNKNOWN."""

UNKNOWN = "known after apply"


class Emulator(Ministack):
    """An emulated AWS with what Terraform asks of it besides (see completed)."""

    def _environment(self) -> dict[str, str]:
        return {**super()._environment(), "PYTHONPATH": str(_COMPLETED)}


class Root:
    """A copy of a root, with a state of its own, and a provider that lives as long as it does.

    Args:
        module: the root, with all that it refers to below it.
        folder: to put the copy into.
        names: the account and its endpoint.
    """

    def __init__(self, module: Path, folder: Path, names: Names) -> None:
        self._copy = Copy(module, folder, emulated(names.endpoint, names.access_key))
        self._given: dict[str, Any] = {}
        provider = ExitStack()
        provider.enter_context(attached(self._copy))
        weakref.finalize(self, provider.close)

    def give(self, variables: Mapping[str, Any]) -> None:
        """Set variables, those not named here as they were."""
        self._given |= variables
        (self._copy.folder / "given.auto.tfvars.json").write_text(
            json.dumps(self._given), encoding="utf-8"
        )

    def apply(self, **variables: object) -> str:
        self.give(variables)
        return self._copy.run("apply", "-auto-approve", "-input=false")

    def destroy(self) -> str:
        return self._copy.run("destroy", "-auto-approve", "-input=false")

    def plan(self, *options: str, **variables: object) -> Changes:
        """Give what an apply would change; of what it would make or remove, everything.

        A data source that can be read by the apply only, such as a policy, is a change, too.
        """
        self.give(variables)
        self._copy.run("plan", "-input=false", f"-out={_SAVED}", *options)
        said = self._copy.run("show", "-json", _SAVED)
        plan = json.loads(next(line for line in said.splitlines() if line.startswith("{")))
        return {
            one["address"]: _changed(one["change"])
            for one in plan.get("resource_changes", [])
            if one["change"]["actions"] != ["no-op"]
        }


def _changed(change: dict[str, Any]) -> dict[str, Any]:
    before, after = change["before"] or {}, change["after"] or {}
    changed = {key: value for key, value in after.items() if before.get(key) != value}
    unknown = change["after_unknown"]
    return changed | {key: UNKNOWN for key, what in unknown.items() if _any_true(what)}


def _any_true(what: object) -> bool:
    """Whether anything is unknown in what may be a block, and then has an answer for each part."""
    if isinstance(what, dict | list):
        return any(map(_any_true, what.values() if isinstance(what, dict) else what))
    return bool(what)
