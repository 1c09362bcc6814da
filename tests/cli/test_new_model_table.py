"""What can be read as a table, and what is said of what cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.errors import CliError
from cli.new_model.make import new_model
from tests.cli.tables import Make, feature


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty: it needs a header line and rows"),
        ("x,y\n", "a header and no rows"),
        ("x,x,y\n1,2,3\n", "two columns called 'x'"),
        ("x,y\n1,2\n1,2,3\n", "line 3 has 3 fields and its header has 2"),
        ('x,y\n1,"2\n', "line 2 is not CSV"),
        ("y\n1\n2\n", "has no column to predict from: it has only the target"),
        ("x,target\n1,2\n", r"no column 'y': its columns are x, target"),
        ("x,Y\n1,2\n", "did you mean 'Y'"),
    ],
)
def test_what_is_no_table_to_learn_from(make: Make, text: str, told: str) -> None:
    target = "y" if "Y" not in text else "Yy"

    with pytest.raises(CliError, match=told):
        make(text, target=target)


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"PAR1\xff", "a Parquet file"), (b"\xff\xfex\0", "byte 0xff"), (b"x,\0y\n1,2\n", "is not text")],
)
def test_what_is_no_text(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(content)

    with pytest.raises(CliError, match=told):
        new_model("mine", path, column="y", root=tmp_path)


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_other_delimiters_are_read(make: Make, delimiter: str) -> None:
    made = make(f"x{delimiter}y\n" + f"1{delimiter}a\n2{delimiter}b\n" * 20)

    assert feature(made) == {"type": "number", "min": 0}


def test_a_byte_order_mark_and_blank_lines_mean_nothing(make: Make) -> None:
    assert feature(make("\ufeffx,y\r\n1,a\r\n\r\n2,b\r\n" * 1 + "1,a\r\n2,b\r\n" * 9))["type"] == "number"
