"""The guide's grammar of questions about results: which query the words come to, and where there is none."""

import time
from pathlib import Path

import pytest

from assistant.models.guide.answering import answer
from assistant.models.guide.questions import asked, of_results, rates, surely_of_results
from assistant.queries import TableFile, query
from assistant.results.tables import write_table
from assistant.web.markdown import markdown
from tests.test_queries import LINKS, PAGES


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TableFile]:
    folder = tmp_path_factory.mktemp("files")
    links = [{"source": source, "target": target} for source, target in LINKS]
    words = [{"word": "the", "count": 7}, {"word": "of", "count": 3}]
    found = {}
    for name, rows in (("pages", PAGES), ("links", links), ("words", words)):
        written = write_table(name, rows, folder)
        found[name] = TableFile(folder / written["file"], written["columns"], written["rows"])
    return found


@pytest.mark.parametrize(
    "words, first",
    [  # the first cell of each row
        ("Which page has the highest PageRank?", ["/3"]),
        ("which page has the highest page rank", ["/3"]),
        ("what is the most linked page?", ["/0"]),
        ("which page is linked most by in_degree", None),
        ("the least linked page", ["/3"]),
        ("which pages are most linked?", ["/0", "/1", "/2", "/3"]),
        ("list the 2 largest by in_degree", ["/0", "/1"]),
        ("top two pages by in degree", ["/0", "/1"]),
        ("two smallest pages by out-degree", ["/2", "/1"]),
        ("the deepest page", ["/3"]),
        ("which page has the fewest outgoing links?", ["/2"]),
        ("highest depth", ["/3"]),
        ("which word has the highest count?", ["the"]),
        ("how many pages?", [4]),
        ("How many pages are there in total?", [4]),
        ("please tell me how many pages did it crawl", [4]),
        ("number of links", [6]),
        ("how many words", [2]),
        ("how many pages are orphans?", [1]),
        ("how many orphans are there", [1]),
        ("how many pages are not orphans", [3]),
        ("how many pages are live", [3]),
        ("how many pages have status 404", [1]),
        ("how many sections are there?", [2]),
        ("how many pages have a status other than 404 and depth below 2", [2]),
        ("list the orphans", ["/3"]),
        ("which pages are dead ends?", ["/2"]),
        ("average depth", [1.0]),
        ("what is the mean depth of all pages?", [1.0]),
        ("average depth of pages where status is 200", [1.0]),
        ("average number of outgoing links per page", [1.5]),
        ("average depth per section", [None, "tutorial", "library"]),
        ("total in_degree", [5]),
        ("pages per section", ["library", None, "tutorial"]),
        ("which section has the most pages?", ["library"]),
        ("pages where depth is 1", ["/1", "/2"]),
        ("pages where depth is one and status is not 200", ["/2"]),
        ("which pages have a depth of 2?", ["/3"]),
        ("pages with depth between 1 and 2", ["/1", "/2", "/3"]),
        ("pages with more than 2 incoming links", ["/0"]),
        ("pages with at least 1 incoming link", ["/0", "/1", "/2"]),
        ("pages in section Library", ["/0", "/1"]),
        ("pages with no title", ["/3"]),
        ("pages where the title is not empty", ["/0", "/1", "/2"]),
        ("pages that are not live", ["/2"]),
        ('pages whose title contains "quo"', ["/2"]),
        ("pages whose title contains %", []),
        ("pages where title is '=1+1'", ["/1"]),
        ("pages where seen is after 2026-01-02", ["/2", "/3"]),
        ("links where source is /1", ["/1"]),
        ("pages where title is x' OR 1=1; DROP TABLE pages --", []),
        ("which pages have in degree of at least 1?", ["/0", "/1", "/2"]),
        ("which pages have between 1 and 2 links in?", ["/1", "/2"]),
        ("which pages contain quo?", ["/2"]),
        ('which pages contain "quo" in the title?', ["/2"]),
        ("how many pages start with /?", [4]),
        ("which titles contain quo?", ["'quoted'"]),
        ("which page has the second highest pagerank?", ["/0"]),
        ("the 2nd lowest depth", ["/1", "/2"]),
        ("bottom 1 by pagerank", ["/2"]),
        ("the 2 lowest pageranks", ["/2", "/1"]),
        ("sort the pages by depth descending", ["/3", "/1", "/2", "/0"]),
        ("sort by title", ["/2", "/1", "/0", "/3"]),
        ("pages sorted by pagerank ascending", ["/2", "/1", "/0", "/3"]),
        ("pages deeper than 1", ["/3"]),
        ("which pages are deeper than 1 click?", ["/3"]),
        ("how many pages are in the library section?", [2]),
        ("highest depth in the library section", ["/1"]),
        ("pages after 2026-01-03", ["/3"]),
        ("pages between 2026-01-02 and 2026-01-03", ["/1", "/2"]),
        ("the last 2 pages by seen", ["/3", "/2"]),
        ("which section has the highest total in_degree?", ["library"]),
        ("average depth for section library", [0.5]),
        ("how many are live?", [3]),
        ("show the live pages", ["/0", "/1", "/3"]),
        ("list the sections", [None, "library", "tutorial"]),
        ("show me the pages", ["/0", "/1", "/2", "/3"]),
        ("show the pages table", ["/0", "/1", "/2", "/3"]),
        ("show the first 2 rows of pages", ["/0", "/1"]),
        ("show 3 rows of the links", ["/0", "/0", "/1"]),
        ("list the broken pages", ["/2"]),
        ("which pages are broken?", ["/2"]),
        ("broken pages", ["/2"]),
        ("how many broken pages are there?", [1]),
        ("how many pages are not broken", [3]),
        ("list the pages that are not broken", ["/0", "/1", "/3"]),
        ("show the broken ones", ["/2"]),
        ("which ones are live?", ["/0", "/1", "/3"]),
        ("longest title", ["/2"]),
        ("which page has the longest title?", ["/2"]),
        ("the 2 shortest titles", ["/0", "/1"]),
        ("shortest url", ["/0", "/1", "/2", "/3"]),
        ("what is the deepest page?", ["/3"]),
        ("the newest page", ["/3"]),
        ("which page is the oldest?", ["/0"]),
        ("show the library pages", ["/0", "/1"]),
        ("how many tutorial pages are there?", [1]),
        ("how many purple pages are there?", []),
        ("which pages have a title?", ["/0", "/1", "/2"]),
        ("how many pages without a section", [1]),
        ("how many links per source", ["/3", "/0", "/1"]),
        ("list the pages where section is tutorial", ["/2"]),
        ("top 2 by pagerank", ["/3", "/0"]),
        ("the biggest pagerank", ["/3"]),
        ("which pages are linked most?", ["/0", "/1", "/2", "/3"]),
    ],
)
def test_the_words_come_to_a_query_that_finds_it(tables, words, first):
    found = asked(words, tables)
    if first is None:
        assert found is None or not found.sql
    else:
        assert found is not None
        assert found.sql, found.sentence
        assert [row[0] for row in query(tables, found.sql).rows] == first, found.sql


@pytest.mark.parametrize(
    "words, part",
    [
        ("which page has the highest betweenness?", "“highest betweenness”"),
        ("which page has the most links?", "“links” is no column of pages"),
        ("what is the average size?", "pages (url text"),
        ("average title", "title is text"),
        ("pages where depth is many", "“many” is no number"),
        ("pages where size is 3", "“size is 3”"),
        ("pages where seen is 2026-02-31", "“2026-02-31” is no day"),
        ("what is the median depth?", "I can not ask for a median"),
        ("last 2 pages by depth", "depth has no last"),
        ("which pages have between many and 2 links in?", "“between many"),
        ("show the table", "There are several tables"),
        ("show the first 5 rows", "There are several tables"),
        ("how many rows are there?", "There are several tables"),
        ("what is the biggest page?", "by which column “biggest” is meant"),
        ("which page is the longest?", "by which column “longest” is meant"),
        ("how many broken links are there?", "“broken” is no column of links"),
        ("what columns are there?", "The results have"),
        ("which tables are there?", "The results have"),
        ("broken links", "“broken” is no column of links"),
        ("list the unicorns", "I can not tell which table or column"),
        ("show the purple ones", "“purple ones”"),
    ],
)
def test_what_fits_no_table_or_column_is_said_with_what_there_is(tables, words, part):
    found = asked(words, tables)
    assert found is not None
    assert found.sql == ""
    assert part in found.sentence
    assert "links (source text, target text)" in found.sentence


@pytest.mark.parametrize(
    "words",
    "depth 3|limit 200 pages|at most 200 pages|pages|run it|what is a click?|why do you need this?|hello"
    "|make it 3 clicks deep|section: library|how many planets are there?|§0 §1||library pages|broken"
    "|longest|a new page".split("|"),
)
def test_other_words_are_no_question_about_the_results(tables, words):
    assert asked(words, tables) is None


def test_what_can_also_be_a_parameters_range_is_weak(tables):
    assert asked("what is the highest depth?", tables).weak
    assert not asked("which page has the highest depth?", tables).weak


def test_of_one_table_the_first_rows_are_shown(tables):
    only = {"words": tables["words"]}
    for words in ("show the table", "show me everything"):
        assert query(only, asked(words, only).sql).rows == (("the", 7), ("of", 3))
    assert query(only, asked("show me 1 row", only).sql).rows == (("the", 7),)
    for words in ("how many rows are there?", "number of rows in the table"):
        assert query(only, asked(words, only).sql).rows == ((2,),)


def test_a_column_of_yes_and_no_stands_for_the_rows_with_yes():
    tables = {"films": TableFile(Path("x"), {"title": "text", "price": "float", "is_classic": "bool"})}
    assert asked("show classics", tables).sql.endswith('FROM "films" WHERE "is_classic" = 1')
    assert '"price" = (SELECT max("price")' in asked("what is the most expensive film?", tables).sql


def test_a_word_that_is_no_value_is_not_counted_as_none(tables):
    found = asked("how many purple pages are there?", tables)
    assert "no cell is “purple”" in found.note
    told = answer(found.sql, {"columns": ["purple pages"], "count": 0, "rows": []}, found.note)
    assert told.startswith(found.note)


def test_a_column_named_so_goes_before_what_a_status_tells():
    tables = {"pages": TableFile(Path("x"), {"url": "text", "status": "int", "is_broken": "bool"})}
    found = asked("which pages are broken?", tables).sql
    assert found == 'SELECT "url", "is_broken" FROM "pages" WHERE "is_broken" = 1'


@pytest.mark.parametrize(
    ("said", "column"),
    [("biggest", "size"), ("longest", "length"), ("cheapest", "price"), ("oldest", "year")],
)
def test_a_superlative_alone_means_the_column_that_measures_it(said, column):
    tables = {"files": TableFile(Path("x"), {"name": "text", column: "int", "n": "int"})}
    assert f'"{column}" = (SELECT' in asked(f"which is the {said} file?", tables).sql


def test_without_tables_nothing_is_asked():
    assert asked("how many pages?", {}) is None


def test_a_column_in_two_tables_is_not_chosen_by_chance(tmp_path):
    tables = {name: TableFile(Path("x"), {"url": "text", "size": "int"}) for name in ("pages", "files")}
    found = asked("what is the average size?", tables)
    assert "pages and in files" in found.sentence
    assert (
        asked("average size of the files", tables).sql == 'SELECT avg("size") AS "average_size" FROM "files"'
    )


@pytest.mark.parametrize("text", ["[x](http://evil.test)", "<b>", "a|b", "**b**", "![i](x)", "`c`"])
def test_what_strangers_wrote_stands_in_the_table_as_it_is(text):
    result = {"columns": ["title", "n"], "count": 1, "rows": [[text, 1]]}
    html = str(markdown(answer("SELECT 1", result)))
    assert "<a" not in html and "<b>" not in html and "<strong>" not in html
    escaped = text.replace("<", "&lt;").replace(">", "&gt;")
    assert f"<td>{escaped}</td>" in html


def test_the_rows_that_are_not_shown_are_counted():
    rows = [[n, "x"] for n in range(30)]
    told = answer("SELECT 1", {"columns": ["a", "b"], "count": 45, "rows": rows})
    assert "The first 10 of 45 rows." in told
    assert answer("SELECT 1", {"columns": ["a"], "count": 0, "rows": []}).startswith("No row fits.")
    assert answer("SELECT 1", {"error": "no"}) == "no."


ENDLESS = ["the ", "of the ", "show ", "?", "how many ", "most ", "top 5 by ", "in total "]


@pytest.mark.parametrize("seed", ENDLESS)
def test_words_that_are_longer_than_a_question_are_none_and_take_no_longer(seed, tables):
    """A quarter of the words would take a sixteenth of the time if each was looked at for each."""

    def seconds(size):
        words = (seed * size)[:size] + " x"
        began = time.process_time()
        assert (of_results(words), surely_of_results(words), rates(words)) == (False, False, False)
        assert asked(words, tables) is None
        return time.process_time() - began

    assert min(seconds(20_000) for _ in range(2)) < 8 * min(seconds(5_000) for _ in range(2)) + 0.1


@pytest.mark.parametrize(
    ("words", "asks"),
    [
        ("I mean 2 more", False),
        ("no, i mean the 5", False),
        ("we mean 3", False),
        ("the top 5 by friday", False),
        ("top 10 posters by friday please", False),
        ("top 10 posters by next friday", False),
        ("first 3 by 4 May 2027", False),
        ("the mean depth", True),
        ("mean of the links", True),
        ("top 5 by depth", True),
        ("how many pages were found by friday?", True),
    ],
)
def test_what_may_be_a_value_asks_nothing_of_results(words, asks):
    assert of_results(words) == asks
    assert asks or not surely_of_results(words)
