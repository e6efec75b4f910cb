"""Templates in a folder: files that end in .j2, and nothing from elsewhere."""

from pathlib import Path

from ion.template import Folder


def test_files_below_the_folder_are_read_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "templates" / "orders" / "shipped").mkdir(parents=True)
    (tmp_path / "templates" / "orders" / "shipped" / "body.txt.j2").write_text("Shipped")
    (tmp_path / "templates" / "orders" / "readme.md").write_text("no template")
    (tmp_path / "templates" / "a folder.j2").mkdir()
    (tmp_path / "secret.j2").write_text("no template either")
    folder = Folder(tmp_path / "templates")
    assert set(folder.names()) == {"orders/shipped/body.txt.j2"}
    assert folder.read("orders/shipped/body.txt.j2") == b"Shipped"
    for name in ("../secret.j2", "orders/readme.md", "a folder.j2"):
        assert (folder.read(name), folder.version(name)) == (None, "")


def test_a_folder_need_not_be_there(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "none")
    assert (set(folder.names()), folder.read("body.txt.j2")) == (set(), None)
