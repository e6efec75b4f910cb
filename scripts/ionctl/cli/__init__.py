"""The operator's commands on a terminal: arguments in, words and tables out; ops does the work."""
