"""Python as a page needs it: no comments, no docstrings, and every line where it was."""

import io
import tokenize

# After these a statement begins; a string that is all of one is a docstring.
BEGINS = {tokenize.ENCODING, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}


def stripped(source: bytes) -> bytes:
    """The same program, in which a traceback names the same lines.

    A docstring becomes `0`, as a body may not be empty.
    """
    lines = source.decode().split("\n")
    for token in reversed(_unneeded(source)):
        (first, start), (last, end) = token.start, token.end
        instead = "0" if token.type == tokenize.STRING else ""
        line = lines[first - 1][:start] + instead + lines[last - 1][end:]
        lines[first - 1 : last] = [line.rstrip()] + [""] * (last - first)
    return "\n".join(lines).encode()


def _unneeded(source: bytes) -> list[tokenize.TokenInfo]:
    tokens = list(tokenize.tokenize(io.BytesIO(source).readline))
    code = [token for token in tokens if token.type not in (tokenize.COMMENT, tokenize.NL)]
    docstrings = {
        token.start
        for before, token, after in zip(code, code[1:], code[2:], strict=False)
        if token.type == tokenize.STRING
        and before.type in BEGINS
        and after.type == tokenize.NEWLINE
    }
    return [
        token
        for token in tokens
        if token.type == tokenize.COMMENT
        or (token.type == tokenize.STRING and token.start in docstrings)
    ]
