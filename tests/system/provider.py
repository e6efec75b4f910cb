"""Terraform's provider as one process for many commands.

Terraform starts it anew for each command, and it makes its schemas anew: that is half of the work
of a plan, and of one with a mocked provider two thirds.
"""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from ionctl.local.terraform import Copy

_ANNOUNCED = re.compile(r"TF_REATTACH_PROVIDERS='(.+)'")
"""What a provider run with -debug says of where it listens (HashiCorp's terraform-plugin-go)."""


@contextmanager
def attached(copy: Copy) -> Iterator[None]:
    """Have what `copy` runs use one provider, of the copy's environment, until the end."""
    (program,) = copy.folder.glob(".terraform/providers/*/hashicorp/aws/*/*/terraform-provider-*")
    alone = copy.environment
    with subprocess.Popen(
        [program, "-debug"],
        env=alone,
        cwd=copy.folder,  # paths in variables are relative to it
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout
            announced = next(filter(None, map(_ANNOUNCED.search, process.stdout)))
            copy.environment = alone | {"TF_REATTACH_PROVIDERS": announced[1]}
            yield
        finally:
            copy.environment = alone
            process.kill()
