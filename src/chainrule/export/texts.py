"""Names that people gave, of columns, classes and files, inside of comments and strings of other languages."""

from __future__ import annotations

import json
import unicodedata

_STRANGE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_ENDING = {"*/": "* /", "/*": "/ *", "</": "< /", "<!": "< !", "??": "? ?"}


def plain(text: str) -> str:
    r"""A text for a line of a comment: blanks for ends of lines, control characters and changes of direction.

    >>> plain("a\nb\0c")
    'a b c'
    """
    return "".join(" " if unicodedata.category(letter) in _STRANGE else letter for letter in text)


def less(value: str, amount: str) -> str:
    """A difference as people write it, with one sign.

    >>> less("x", "0.5"), less("x", "-0.5")
    ('x - 0.5', 'x + 0.5')
    """
    return f"{value} + {amount[1:]}" if amount.startswith("-") else f"{value} - {amount}"


def block_comment(lines: list[str], opening: str = "/*") -> str:
    """Lines of a comment of C or JavaScript; what would end it, or a script in a page, is broken up.

    >>> block_comment(["one */ two"])
    '/* one * / two */'
    """
    safe = [_broken_up(plain(line)) for line in lines]
    if len(safe) == 1:
        return f"{opening} {safe[0]} */"
    return "\n".join([opening, *(f" * {line}".rstrip() for line in safe), " */"])


def _broken_up(line: str) -> str:
    for ending, apart in _ENDING.items():
        while ending in line:
            line = line.replace(ending, apart)
    return line


def c_string(text: str) -> str:
    r"""A string of C in UTF-8: bytes that are not plain letters as octal escapes.

    >>> print(c_string('"a"'))
    "\042a\042"
    """
    escaped = "".join(
        chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\?' else f"\\{byte:03o}"
        for byte in text.encode(errors="surrogatepass")
    )
    return f'"{escaped}"'


def javascript_string(text: str) -> str:
    r"""A string of JavaScript that does not end a script in a page.

    >>> print(javascript_string("</script>"))
    "<\/script>"
    """
    return json.dumps(text).replace("</", "<\\/").replace("<!", "<\\!")


def python_string(text: str) -> str:
    r"""A string of Python, in double quotes where none stands in it.

    >>> print(python_string("net.py"), python_string('"'), python_string("😀"))
    "net.py" '"' "😀"
    """
    written = repr(text)
    return written if '"' in written else f'"{written[1:-1]}"'
