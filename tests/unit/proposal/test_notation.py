"""How a table is written: guessed once, then said by the study."""

import csv
import io
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedwise.data.readers import read_rows
from seedwise.errors import UserError
from seedwise.proposal.notation import DELIMITERS, guess_delimiter, guess_encoding

TEXTS = {
    "French": "Très déçu par ce produit, la qualité n'est pas là; à éviter.",
    "German": "Große Enttäuschung für alle, die sich darauf gefreut hatten.",
    "Spanish": "Una película muy mala, qué lástima; no la recomiendo a los niños.",
    "Polish": "To jest bardzo dobra książka, polecam ją wszystkim; źle nie będzie.",
    "Russian": "Очень плохая книга, никому не советую тратить время и деньги.",
}
USUAL = {"French": "cp1252", "German": "cp1252", "Spanish": "cp1252", "Polish": "cp1250"}


@pytest.mark.parametrize("language", TEXTS)
def test_encodings_of_windows_are_found(language):
    encoding = USUAL.get(language, "cp1251")
    text = f"text;label\r\n{TEXTS[language]};1\r\n" * 5
    assert text.encode(encoding).decode(guess_encoding(text.encode(encoding), "a.csv")) == text
    assert guess_encoding(text.encode(), "a.csv") == "utf-8"
    assert guess_encoding(text.encode("utf-8-sig"), "a.csv") == "utf-8"
    assert guess_encoding(text.encode("utf-16"), "a.csv") == "utf-16"


def test_one_accent_in_a_long_table_is_found():
    text = "texte,note\r\n" + "C'est tres bien mais un peu cher,1\r\n" * 20_000 + "été,0\r\n"
    data = text.encode("cp1252")
    assert data.decode(guess_encoding(data, "a.csv")) == text


def test_what_is_no_text_is_refused():
    with pytest.raises(UserError, match="holds NUL bytes"):
        guess_encoding(b"\x80\0\1" * 50, "a.csv")


cells = st.text(st.characters(codec="cp1252", exclude_characters="\0\r\n"), min_size=1)


@given(
    st.lists(st.tuples(cells, st.sampled_from(["good", "bad"])), min_size=2),
    st.sampled_from(DELIMITERS),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["utf-8", "cp1252", "utf-16"]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_rows_and_labels_come_back_as_written(rows, delimiter, quoting, encoding, end):
    written = io.StringIO()
    writer = csv.writer(written, delimiter=delimiter, quoting=quoting, lineterminator=end)
    writer.writerows([("text", "label"), *rows])
    assert guess_delimiter(written.getvalue(), "csv", quoted=True) == delimiter
    data = written.getvalue().encode(encoding)
    settings = {"format": "table", "delimiter": delimiter, "encoding": encoding}
    found = read_rows(io.BytesIO(data), "a.csv", settings, "label", Counter())
    assert [(row.text, row.value) for row in found] == rows


def test_commas_in_texts_are_none_between_columns():
    text = "text;label\nfine, but dear;good\nbad, slow;poor\n"
    assert guess_delimiter(text, "csv", quoted=True) == ";"
    assert guess_delimiter("text;label\n3,5;good\n", "csv", quoted=True) == ";"
    assert guess_delimiter("text\nfine\n", "csv", quoted=True) is None
    # Not even: what the ending says, so that the line that is wrong is named.
    assert guess_delimiter("text,label\na,b,c\n", "csv", quoted=True) == ","


def test_another_encoding_is_named_with_line_and_key():
    data = "text,label\nété,1\n".encode("cp1252")
    with pytest.raises(UserError, match=r"line 2: byte 11 \(0xe9\) is not UTF-8; .*`encoding: cp1"):
        list(read_rows(io.BytesIO(data), "a.csv", {"format": "table"}, "label", Counter()))
    for encoding in ("cp1253", "utf-16"):
        settings = {"format": "table", "encoding": encoding}
        with pytest.raises(UserError, match=f"a.csv, line .* is not {encoding}"):
            list(read_rows(io.BytesIO(b"\xd2\xff\n"), "a.csv", settings, "label", Counter()))
