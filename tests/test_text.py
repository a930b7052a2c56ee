"""Text of others: what is cleaned and what is masked."""

import pytest

from assistant.text import clean, mask


def test_a_short_secret_is_masked_as_a_word_and_longer_ones_anywhere():
    secrets = {"a": "abcd", "b": "abcdef", "c": "x"}
    assert mask("abcdefg abcd x, next", secrets) == "••••g •••• ••••, next"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        (" a\tb\n", "a b"),
        ("a\x00b\u2028c", "a b c"),
        ("half\ud800", "half"),
        ("日本 é", "日本 é"),
        ("x" * 300, "x" * 200),
    ],
)
def test_clean_gives_one_line(text, cleaned):
    assert clean(text) == cleaned
