"""Markdown to safe HTML. What comes in is untrusted: a model's words, a workflow's help, a person's note."""

import re
from functools import lru_cache

import nh3
from fastcore.xml import Safe
from markdown_it import MarkdownIt

TAGS = set("p br hr strong em del code pre blockquote ul ol li a table thead tbody tr th td".split())
TAGS |= {"h1", "h2", "h3", "h4", "h5", "h6"}
_parsers = {
    breaks: MarkdownIt("commonmark", {"html": False, "breaks": breaks}).enable(["table", "strikethrough"])
    for breaks in (False, True)
}


@lru_cache(maxsize=2_000)
def markdown(text: str, breaks: bool = True) -> Safe:
    """HTML of a Markdown text: no images, no raw HTML, links only to http(s) and mail.

    With `breaks` a line's end is one on the page, as chat has it; a docstring's lines flow.
    """
    html = nh3.clean(
        _parsers[breaks].render(text),
        tags=TAGS,
        attributes={"a": {"href"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
    return Safe(html)


def blocks(text: str) -> tuple[list[str], str]:
    """The finished blocks of a text that is still being written, and the block being written.

    A block ends at an empty line outside a code fence, where what follows does not continue a list.
    """
    finished: list[str] = []
    start = 0
    fence = ""
    position = 0
    for line in text.splitlines(keepends=True):
        mark = re.match(r" {0,3}(`{3,}|~{3,})", line)
        if mark and (not fence or line.strip().startswith(fence)):
            fence = "" if fence else mark[1]
        elif not fence and not line.strip() and line.endswith("\n"):
            following = text[position + len(line) :].lstrip("\n")
            # a list or an indented line goes on after an empty line
            if following and not re.match(r"\s|[-*+] |\d+[.)] ", following) and text[start:position].strip():
                finished.append(text[start:position])
                start = position + len(line)
        position += len(line)
    return finished, text[start:]
