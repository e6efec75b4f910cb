"""docs/ionctl.md and docs/schema/ionctl.json, made from the program."""
