"""What a page loads again after something that any page can do was done on it."""

from typing import Any

#: What loads a page, by the beginning of its path.
_LOADS: dict[str, Any] = {}


def loaded_by(path: str, handler: Any) -> None:
    """Say which handler loads the pages whose path begins with `path`."""
    _LOADS[path] = handler


def reload_of(path: str) -> list[Any]:
    """Return what loads the page at `path` again: the handler of the longest beginning that fits, or nothing."""
    fitting = [known for known in _LOADS if path == known or path.startswith(f"{known}/")]
    return [_LOADS[max(fitting, key=len)]] if fitting else []
