"""A file of prices, read: its rows as (row, SKU, price), or every fault of it."""

from inventory_app.errors import Invalid, InvalidRows
from inventory_app.operations import _csv
from inventory_app.operations._numbers import style_of

LARGEST_FILE = 2 * 1024 * 1024
_SKU = ("sku", "article", "item")
_PRICE = ("price", "unitprice", "newprice")


def read_prices(content: bytes) -> list[tuple[int, str, str]]:
    """Read a CSV with the columns sku and price, in any order; prices with a decimal comma are read as such."""
    sheet = _csv.read(content, (*_SKU, *_PRICE))
    names = [_csv.plain(name) for name in sheet.header]
    at = [next((names.index(name) for name in wanted if name in names), None) for wanted in (_SKU, _PRICE)]
    sku_at, price_at = at
    if sku_at is None or price_at is None:
        raise Invalid("The file needs a header with the columns sku and price.")
    style = style_of(line.values[price_at] for line in sheet.lines)
    faults = list(sheet.faults)
    rows: list[tuple[int, str, str]] = []
    for line in sheet.lines:
        try:
            price = style.number(line.values[price_at])
        except ValueError as error:
            faults.append((line.number, "price", str(error)))
            continue
        if price is None:
            faults.append((line.number, "price", "the price is missing"))
            continue
        rows.append((line.number, line.values[sku_at], f"{price:f}"))
    if faults:
        message = f"{len(faults):,} of {len(sheet.lines) + len(sheet.faults):,} rows cannot be used, so none was:"
        raise InvalidRows(message, sorted(faults))
    return rows
