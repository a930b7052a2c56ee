"""Markdown to safe HTML. What comes in is untrusted: a model's words, a workflow's help, a person's note."""

import re
from functools import lru_cache
from html import escape

import nh3
from fastcore.xml import Safe
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore

TAGS = set("p br hr span strong em del code pre blockquote ul ol li a table thead tbody tr th td".split())
TAGS |= {"h1", "h2", "h3", "h4", "h5", "h6"}
LONGEST = 20_000  # characters of code that is given colours
COLOURS = {  # the kinds of tokens that app.css has a colour for, by the beginning of Pygments' short names
    "c": "c", "k": "k", "kc": "n", "s": "s", "m": "n", "nf": "f", "nc": "f", "nt": "k", "nd": "f", "na": "f",
    "nb": "b", "gd": "d", "gi": "s", "ow": "k",
}  # fmt: skip
CLASSES = set(COLOURS.values())
SIDES = {"right", "center"}


def _coloured(code: str, language: str, attributes: str) -> str:
    """The code with its tokens in spans; "" (as it is) for a language that is not known."""
    if not language or len(code) > LONGEST:
        return ""
    # only where a block of code is met: it takes a moment to load
    from pygments.lexers import get_lexer_by_name
    from pygments.token import STANDARD_TYPES
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        return ""
    found = []
    for kind, text in lexer.get_tokens(code):
        short = STANDARD_TYPES.get(kind, "")
        colour = next((COLOURS[short[:n]] for n in (2, 1) if short[:n] in COLOURS), "")
        plain = escape(text)
        found.append(f'<span class="{colour}">{plain}</span>' if colour and text.strip() else plain)
    return "".join(found)


def _parser(breaks: bool, colours: bool) -> MarkdownIt:
    options = {"html": False, "breaks": breaks, "highlight": _coloured if colours else None}
    parser = MarkdownIt("commonmark", options).enable(["table", "strikethrough"])
    parser.core.ruler.push("below", _below)
    parser.core.ruler.push("aligned", _aligned)
    return parser


def _below(state: StateCore) -> None:
    """Headings stand below those of the page, none skipped: the highest of the text is a third level."""
    headings = [token for token in state.tokens if token.type in ("heading_open", "heading_close")]
    levels = sorted({token.tag for token in headings})
    for token in headings:
        token.tag = f"h{min(6, 3 + levels.index(token.tag))}"


def _aligned(state: StateCore) -> None:
    """A column's side is a class: a style would be none on our pages."""
    for token in state.tokens:
        if token.type in ("th_open", "td_open") and (style := token.attrs.pop("style", None)):
            token.attrSet("class", str(style).removeprefix("text-align:"))


_parsers = {(b, c): _parser(b, c) for b in (False, True) for c in (False, True)}


@lru_cache(maxsize=2_000)
def markdown(text: str, breaks: bool = True, colours: bool = True) -> Safe:
    """HTML of a Markdown text: no images, no raw HTML, links only to http(s) and mail.

    With `breaks` a line's end is one on the page, as chat has it; a docstring's lines flow. Without `colours`
    code is left plain, as it is while it is being written.
    """
    html = nh3.clean(
        _parsers[breaks, colours].render(text),
        tags=TAGS,
        allowed_classes={"span": CLASSES, "th": SIDES, "td": SIDES},
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
