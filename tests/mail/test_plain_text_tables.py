"""Tables: rows of data are lines, rows of a layout are paragraphs."""

import pytest

from ion.mail.plain_text import plain_text


def table(*rows: str, attributes: str = "") -> str | None:
    return plain_text(f"<table {attributes}><tr>{'</tr><tr>'.join(rows)}</tr></table>")


def test_a_row_of_data_is_one_line() -> None:
    assert table(
        "<th>What<th>Count<th>Price",
        "<td>Tea<td>2<td>4.00",
        "<td colspan=2>Total<td> <b>4.00</b>\n",
    ) == ("What Count Price\nTea 2 4.00\nTotal 4.00")


def test_a_break_inside_a_cell_is_a_line() -> None:
    assert table("<td>Ann Lee<br>1 High St<br>London</td>") == "Ann Lee\n1 High St\nLondon"


def test_paragraphs_inside_a_cell_are_paragraphs() -> None:
    assert table("<td><p>One.</p><p>Two.</p></td>") == "One.\n\nTwo."


def test_cells_of_several_lines_stand_apart() -> None:
    assert table("<td>Ship to<td>Ann Lee<br>London<td>by post") == (
        "Ship to\n\nAnn Lee\nLondon\n\nby post"
    )


def test_columns_of_prose_are_read_one_after_the_other() -> None:
    left, right = "All along the left. " * 5, "All along the right. " * 5
    assert table(f"<td>{left}<td>{right}") == f"{left.strip()}\n\n{right.strip()}"


def test_a_long_description_stays_in_its_row() -> None:
    what = "Hiking boots, brown, waterproof, with a sole that can be made new, size 42, a pair"
    assert table(f"<td>1<td>{what}<td>149.00") == f"1 {what} 149.00"


def test_a_menu_of_links_has_a_line_for_each() -> None:
    urls = [f"https://shop.example/{'path/' * 12}{number}" for number in range(3)]
    row = "".join(f"<td><a href={url}>Shop</a>" for url in urls)
    assert table(row) == "\n".join(f"Shop <{url}>" for url in urls)


def test_rows_of_a_layout_are_paragraphs() -> None:
    assert table("<td>Hello Ann", "<td>Your order is here.", "<td>Bye", attributes="role=none") == (
        "Hello Ann\n\nYour order is here.\n\nBye"
    )


def test_a_title_stands_on_its_rows_and_prose_doesn_t() -> None:
    prose = "We have received your order and are packing it now: it will be sent today."
    assert table("<td colspan=2>Order 7", "<td>Tea<td>4.00", f"<td colspan=2>{prose}") == (
        f"Order 7\nTea 4.00\n\n{prose}"
    )


def test_a_table_in_a_cell_is_laid_by_its_own_rows() -> None:
    inner = "<table><tr><td>Tea<td>4.00<tr><td>Milk<td>1.10</table>"
    assert table(f"<td>Hello<td>{inner}", "<td>Bye") == "Hello\n\nTea 4.00\nMilk 1.10\n\nBye"
    assert table(f"<td>Hello<td>{inner.replace('<tr><td>Milk<td>1.10', '')}") == "Hello Tea 4.00"


def test_empty_cells_and_rows_leave_nothing() -> None:
    assert table("<td>&nbsp;<td>Tea<td><img src=x><td>4.00", "<td> ", "<td>Milk<td>1.10") == (
        "Tea 4.00\nMilk 1.10"
    )


def test_items_in_cells_stay_items() -> None:
    assert table("<td><ul><li>one</ul><td><ul><li>two</ul>") == "- one\n\n- two"


def test_a_caption_stands_above() -> None:
    assert plain_text("<table><caption>Prices<tr><td>Tea<td>4.00</table>") == "Prices\nTea 4.00"


@pytest.mark.parametrize("html", ["<td>one<td>two", "<tr><td>one<tr>two", "<th>one</th><td>two"])
def test_cells_without_a_table_are_lines(html: str) -> None:
    assert plain_text(html) == "one\ntwo"


def test_a_row_too_long_for_a_line_has_a_line_a_cell() -> None:
    cells = [f"{number:050}" for number in range(30)]
    assert table("<td>" + "<td>".join(cells)) == "\n".join(cells)
