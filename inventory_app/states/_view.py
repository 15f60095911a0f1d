"""A list's view lives in its address: what is searched, filtered, sorted and which page."""

from collections.abc import Mapping
from urllib.parse import urlencode


def href(path: str, view: Mapping[str, str], /, **changes: str) -> str:
    """Return the address of `view` with `changes`; an empty value leaves the parameter out.

    Anything but turning a page starts again at the first one.
    """
    wanted = {**view, "at": "", **changes}
    query = urlencode({name: value for name, value in wanted.items() if value})
    return f"{path}?{query}" if query else path


def sort_hrefs(path: str, view: Mapping[str, str], columns: tuple[str, ...]) -> dict[str, str]:
    """Return the address that sorts by each column: the sorted one turns around."""
    links = {}
    for column in columns:
        turned = view.get("sort") == column and view.get("dir") != "desc"
        links[column] = href(path, view, sort=column, dir="desc" if turned else "")
    return links


def chosen(query: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str:
    """Return a parameter of the address if it is one of `allowed`, else the first of them."""
    value = query.get(name, "")
    return value if value in allowed else allowed[0]


def number(query: Mapping[str, str], name: str) -> int | None:
    """Return a parameter of the address as the key of a record, None when it is none."""
    value = query.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None  # noqa: PLR2004  # fits bigint
