"""Text of others: what is cleaned and what is masked."""

import pytest

from assistant.text import clean, mask


def test_masked_are_whole_secrets_of_four_characters_or_more():
    secrets = {"a": "abcd", "b": "abcdef", "c": "x"}
    assert mask("abcdef abcd x", secrets) == "•••• •••• x"


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
