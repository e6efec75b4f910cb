"""The operator's commands: python -m ionctl COMMAND."""

import argparse
import sys
from collections.abc import Sequence

from ionctl import control, render


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what `arguments` ask for; give the exit status."""
    parser = argparse.ArgumentParser(prog="ionctl", description="The operator's commands.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (control, render):
        command.add_to(commands)
    options = parser.parse_args(arguments)
    status: int = options.run(options)
    return status


if __name__ == "__main__":
    sys.exit(main())
