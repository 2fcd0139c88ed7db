"""Does the first row name the columns, or is it data?"""

from collections.abc import Sequence

from causalmix_core.table.missing import is_missing
from causalmix_core.table.numbers import parse_number


def has_header(rows: Sequence[Sequence[str]], decimal: str, tokens: Sequence[str]) -> bool:
    """Say whether the first of the rows is a header.

    A word above a column of numbers is a name. Where no column says so, a number above numbers, or
    words that come back further down in at least half of the columns, mean that the row is data.
    When in doubt there is a header.
    """
    first, body = rows[0], rows[1:]
    if not body:
        return True
    number_above_numbers = comes_back = 0
    for position, cell in enumerate(first):
        texts = [row[position].strip() for row in body]
        texts = [text for text in texts if not is_missing(text, tokens)]
        if not texts:
            continue
        numbers = sum(parse_number(text, decimal) is not None for text in texts)
        is_number = parse_number(cell, decimal) is not None
        if numbers >= 0.9 * len(texts):
            if not is_number and not is_missing(cell, tokens):
                return True
            number_above_numbers += is_number
        else:
            comes_back += cell.strip() in texts
    if number_above_numbers:
        return False
    return comes_back < len(first) / 2
