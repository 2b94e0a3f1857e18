"""Names in other languages: they end no comment and no string, and strings are read as what they are."""

from __future__ import annotations

import ast
import json

from hypothesis import given
from hypothesis import strategies as st

from chainrule.export.texts import block_comment, javascript_string, plain, python_string

TEXTS = st.text(alphabet=st.one_of(st.sampled_from("*/<!?\\\"'\n"), st.characters()))


@given(st.lists(TEXTS, min_size=1, max_size=3))
def test_a_comment_ends_where_it_ends(lines):
    written = block_comment(lines)
    inside = written.removeprefix("/*").removesuffix("*/")
    assert not any(ending in inside for ending in ("*/", "/*", "</", "<!", "??"))
    assert len(written.splitlines()) == (1 if len(lines) == 1 else len(lines) + 2)


@given(TEXTS)
def test_a_line_stays_a_line_and_is_text(text):
    assert len(plain(text).splitlines()) <= 1
    assert plain(text).encode() or not text


@given(TEXTS)
def test_strings_are_read_as_what_they_are(text):
    assert ast.literal_eval(python_string(text)) == text
    written = javascript_string(text)
    assert "</" not in written
    assert "<!" not in written
    assert json.loads(written.replace("<\\!", "<!")) == text
