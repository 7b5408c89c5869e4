import io
from collections import Counter

import pytest

from seedwise.data.tables import as_text, decode, lines_of, read_records, without_ends
from seedwise.errors import UserError

ODD = "a\u2028b\x85c\x0cd\x0be\x1cf\u2029 «é» 😀 ' \" \\ & <b>"


def test_only_line_feeds_separate_lines():
    changes = Counter()
    stream = io.BytesIO(f"{ODD}\r\n\r\nlast".encode())
    found = list(without_ends(lines_of(stream, "a", changes), changes))
    assert found == [ODD, "", "last"]
    assert changes == {"CRLF line ends read as LF": 2}
    for nothing in (b"", b"\xef\xbb\xbf"):
        assert list(lines_of(io.BytesIO(nothing), "a", Counter())) == []


def test_not_utf8_names_file_line_and_byte():
    with pytest.raises(UserError, match=r"a.txt, line 3: byte 8 \(0xe9\) is not UTF-8"):
        decode(b"one\ntwo\n\xe9t\xe9\n", "a.txt", Counter())


def test_byte_order_mark_is_removed_and_counted():
    changes = Counter()
    assert decode(b"\xef\xbb\xbftext", "a", changes) == "text"
    assert changes == {"byte-order marks removed": 1}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"), ("", ""), (1, "1"), (0.5, "0.5"), (True, "true"),
        (None, None), ([1], None), ({"a": 1}, None), (b"a", None), ("\ud800", None),
    ],
)  # fmt: skip
def test_text_of_a_value(value, text):
    assert as_text(value) == text


def test_a_json_list_may_stand_in_an_object():
    data = b'{"version": 1, "records": [{"text": "a"}, {"text": "b"}]}'
    found = list(read_records(data, "d.json", {}, Counter()))
    assert found == [(1, "d.json, record 1", {"text": "a"}), (2, "d.json, record 2", {"text": "b"})]
    with pytest.raises(UserError, match=r"d.json: not a JSON list of records, nor an object"):
        list(read_records(b'{"a": [], "b": []}', "d.json", {}, Counter()))
