"""Plain text files."""

from pathlib import Path

import pytest

from tunegate.errors import UserError
from tunegate.params import IngestSettings
from tunegate.text.readers import choose_files, file_of
from tunegate.text.readers.rows import Chunk

SETTINGS = IngestSettings()


def read(path: Path, **settings: str) -> list[Chunk]:
    chosen = IngestSettings.model_validate(settings)
    return list(file_of(path, chosen).read(chosen))


def write(folder: Path, content: str | bytes, name: str = "texts.txt") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_blank_lines_stand_between_documents_which_keep_their_lines(tmp_path: Path) -> None:
    (chunk,) = read(write(tmp_path, "\ufeff\n It rains.\r\nIt pours.\r\n\r\n \t\n\nThe end.\n"))
    assert chunk.rows.columns["text"].to_pylist() == ["It rains.\nIt pours.", "The end."]
    assert chunk.rows.lines.tolist() == [2, 7]
    assert chunk.rejects == ()


def test_without_blank_lines_between_them_lines_are_rows(tmp_path: Path) -> None:
    (chunk,) = read(write(tmp_path, "\nIt rains.\nIt pours.\n\n"))
    assert chunk.rows.columns["text"].to_pylist() == ["It rains.", "It pours."]
    assert chunk.rows.lines.tolist() == [2, 3]


def test_a_person_may_say_what_rows_are(tmp_path: Path) -> None:
    path = write(tmp_path, "It rains.\nIt pours.\n")
    (chunk,) = read(path, format="documents")
    assert chunk.rows.columns["text"].to_pylist() == ["It rains.\nIt pours."]


def test_a_document_in_another_encoding_is_rejected_alone(tmp_path: Path) -> None:
    path = write(tmp_path, b"It rains.\nAnd more.\n\ncaf\xe9\n\nThe end.\n")
    (chunk,) = read(path)
    assert chunk.rows.columns["text"].to_pylist() == ["It rains.\nAnd more.", "The end."]
    (reject,) = chunk.rejects
    assert (reject.source_line, reject.rule) == (4, "ENC_INVALID")
    (chunk,) = read(path, encoding="cp1252")
    assert chunk.rows.columns["text"].to_pylist()[1] == "café"


def test_a_note_in_a_data_folder_is_no_data(tmp_path: Path) -> None:
    write(tmp_path, "text,label\na,b\n", "rows.csv")
    write(tmp_path, "About these rows.\n", "README.txt")
    files, unread = choose_files(tmp_path, SETTINGS, str)
    assert [file.path.name for file in files] == ["rows.csv"]
    assert unread == ["README.txt"]


def test_a_file_of_blank_lines_holds_no_text(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no text"):
        read(write(tmp_path, "\n \n"))
