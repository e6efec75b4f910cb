"""python -m ionctl.reference: writes both."""

from __future__ import annotations

from ionctl.reference import page, results


def main() -> int:
    """Write the files, and say which."""
    for file, text in ((page.FILE, page.page()), (results.FILE, results.text())):
        file.write_text(text, encoding="utf-8")
        print(file.relative_to(page.ROOT))
    return 0


raise SystemExit(main())
