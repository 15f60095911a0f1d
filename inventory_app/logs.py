"""The log: JSON lines on stdout, UTC, every line carrying who, from where and which operation.

`log = structlog.get_logger(__name__)` anywhere; Reflex's and other libraries' lines go
through the same renderer, without headers, cookies or event payloads.
"""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Literal

import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import Processor

from inventory_app.context import log_context

# Reflex prints the headers of unknown events whole, the session cookie among them, and the
# payload (passwords, personal data) of events it cannot read: in log lines and in its errors' texts.
_SECRETS = re.compile(
    r"""((?:cookie|authorization)\b['"]?\s*(?:[:=]|(?<=['"]),)\s*)"""  # a name, as in a dict, a header or a pair
    r"""(?:b?'(?:[^'\\]|\\.)*'|b?"(?:[^"\\]|\\.)*"|[^\r\n'"})\]]+)""",  # quoted, or all to the end of the line
    re.IGNORECASE,
)
_PAYLOAD = re.compile(r"(event data:|but received|with value|payload=|fields: ).*", re.DOTALL | re.IGNORECASE)


_LONGEST = 2_000


def redacted(text: str) -> str:
    """Return a library's text without cookies, credentials and event payloads."""
    if len(text) > _LONGEST:
        # A stranger decides how long some of these are.
        text = f"{text[:_LONGEST]} … and {len(text) - _LONGEST:,} characters more"
    return _PAYLOAD.sub(r"\1 [left out]", _SECRETS.sub(r"\1[left out]", text))


class Redact(logging.Filter):
    """Drop cookies, authorization headers and event payloads from library log records."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Replace the message by its redacted form; the record itself is kept."""
        record.msg = redacted(record.getMessage())
        record.args = ()
        return True


def _redact_errors(_: object, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Redact the text of errors too, our own lines' and the libraries'."""
    shown = event.get("exception")
    for error in shown if isinstance(shown, list) else []:
        error["exc_value"] = redacted(error["exc_value"])
    return event


def _pin_context(_: object, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Let the context win over a log call's own keywords: nobody logs under another name."""
    event.update({name: value for name, value in log_context().items() if value is not None})
    return event


def _writable(_: object, __: str, line: Any) -> str:
    """Write half a surrogate pair, which no file can hold, as what it is: a line must not fail what it tells of."""
    return line.encode("utf-8", "backslashreplace").decode()


def configure(level: str, style: Literal["json", "console"]) -> None:
    """Set the log up once per process; safe to call again."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]
    tail: list[Processor]
    if style == "json":
        tail = [
            structlog.processors.ExceptionRenderer(
                # Locals hold secrets, and the default prints them.
                ExceptionDictTransformer(show_locals=False)
            ),
            _redact_errors,
            structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
            _writable,
        ]
    else:
        tail = [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback), _writable]
    structlog.configure(
        processors=[*shared, _pin_context, *tail],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared, _pin_context],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *tail],
        )
    )
    handler.addFilter(Redact())
    # The websocket libraries write around the log, to stderr, unless somebody has set their level before them.
    for name in ("", "reflex", "reflex_base", "engineio.server", "socketio.server"):
        logger = logging.getLogger(name)
        logger.handlers = [handler] if not name else []
        logger.propagate = True
        logger.setLevel(logging.WARNING)
