"""What stops a command, said to the person who gave it."""


class Problem(Exception):  # noqa: N818 - it is shown as it is, after "ion: "
    """Something that the person at the keyboard can do something about.

    Its text says what is wrong and what to do next. It is shown without a traceback.
    """


class UsageProblem(Problem):
    """A mistake in the command line, which the exit status 2 tells from other problems.

    Its text names the option, what was typed, and what would be right.
    """


class BrokenOff(Problem):
    """Ctrl-C in the midst of something. Its text says how far that has come."""
