"""A clock that moves only when it is told to."""


class Clock:
    """Seconds; stands in for time.monotonic and time.time."""

    def __init__(self, seconds: float = 1_000_000.0) -> None:
        self.seconds = seconds

    def __call__(self) -> float:
        return self.seconds

    def passes(self, seconds: float) -> None:
        self.seconds += seconds
