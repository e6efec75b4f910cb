"""Which letters go in one call."""

from collections.abc import Iterable, Iterator

from ion.limits import BATCH, MOST_MESSAGE_BYTES
from ion_publisher.message import Letter


def batches(letters: Iterable[tuple[int, Letter]]) -> Iterator[list[tuple[int, Letter]]]:
    """Numbered letters in their order, so many as SNS's PublishBatch takes: ten, and 256 KiB."""
    batch: list[tuple[int, Letter]] = []
    size = 0
    for numbered in letters:
        more = numbered[1].size
        if batch and (len(batch) == BATCH or size + more > MOST_MESSAGE_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(numbered)
        size += more
    if batch:
        yield batch
