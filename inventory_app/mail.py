"""Sending a message, where a mail server is configured (`SMTP_URL`); nothing depends on it."""

import smtplib
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

import structlog

from inventory_app.errors import AppError
from inventory_app.settings import get_settings

log = structlog.get_logger(__name__)

_PATIENCE_SECONDS = 15
_SUBMISSION, _SUBMISSION_OVER_TLS = 587, 465


class NotSent(AppError):
    """The mail server did not take the message; what it was about is done."""

    log_level = "error"
    sentence = "The mail could not be sent. Hand the link over yourself, and tell an administrator."


def is_configured() -> bool:
    """Tell whether messages can be sent at all."""
    return get_settings().smtp_url is not None


def send(to: str, subject: str, text: str) -> None:
    """Send a plain message; raises `NotSent`. Slow: never on the event loop, never in a transaction."""
    settings = get_settings()
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = settings.sender, to, subject
    message.set_content(text)
    try:
        with _connected() as server:
            _secure(server)
            server.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        # The text of these errors can hold addresses and what the server was told.
        log.error("mail_not_sent", error_type=type(error).__name__)  # noqa: TRY400  # as said
        raise NotSent from error


def _connected() -> smtplib.SMTP:
    parts = urlsplit(get_settings().smtp_url or "")
    if parts.scheme == "smtps":
        return smtplib.SMTP_SSL(parts.hostname or "", parts.port or _SUBMISSION_OVER_TLS, timeout=_PATIENCE_SECONDS)
    return smtplib.SMTP(parts.hostname or "", parts.port or _SUBMISSION, timeout=_PATIENCE_SECONDS)


def _secure(server: smtplib.SMTP) -> None:
    """Encrypt, where that is possible, and sign in; a password is never sent in the clear."""
    parts = urlsplit(get_settings().smtp_url or "")
    server.ehlo()
    if parts.scheme != "smtps" and (parts.username or server.has_extn("starttls")):
        server.starttls()
    if parts.username:
        server.login(unquote(parts.username), unquote(parts.password or ""))
