"""What a run prints, and the secrets in it."""

from assistant.runs.output import Output


def test_secrets_in_pieces_are_masked_and_nothing_else_is_lost(tmp_path):
    text = b"a pass passw password pas"
    for size in range(1, len(text)):
        output = Output(tmp_path / f"{size}.txt", {"a": "password", "b": "abc"})
        for at in range(0, len(text), size):
            output.add(text[at : at + size])
        output.add(b"", last=True)
        output.close()
        assert output.path.read_text() == "a pass passw •••• pas" == output.tail()
