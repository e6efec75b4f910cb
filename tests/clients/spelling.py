"""A name as others write it, and misspelt."""

import re


def spelled(name: str) -> set[str]:
    """In each case, with the words joined otherwise; of longer names also with a slip."""
    words = re.sub(r"([A-Z])", r"_\1", name).lower().split("_")
    first, *others = words
    camel = first + "".join(map(str.title, others))
    joined = {"_".join(words), "-".join(words), "".join(words), camel}
    cases = {case(one) for one in joined for case in (str.lower, str.upper, str.title)} | joined
    if len(name) < 4:
        return cases
    middle = len(name) // 2
    return cases | {name[:-1], name[:middle] + name[middle + 1 :], f"{name}s"}
