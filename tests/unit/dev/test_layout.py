"""Claims about the state folder."""

from pathlib import Path

from sheaf_dev.layout import Layout


def test_a_purge_leaves_what_is_not_the_stacks(tmp_path: Path) -> None:
    """A state folder that the user chose may hold other things."""
    layout = Layout(tmp_path)
    (tmp_path / "thesis.txt").write_text("mine")
    for folder in ("mariadb", "mariadb.unfinished", "seaweedfs", "log", "run"):
        (tmp_path / folder).mkdir()
    for file in (layout.env, layout.credentials, layout.ports, tmp_path / "seaweedfs-s3.json"):
        file.write_text("")
    layout.purge()
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_purge_leaves_no_empty_folder(tmp_path: Path) -> None:
    """Nothing is left of a stack in a folder of its own."""
    folder = tmp_path / "stack"
    (folder / "run").mkdir(parents=True)
    Layout(folder).purge()
    assert not folder.exists()
