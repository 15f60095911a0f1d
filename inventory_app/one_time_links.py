"""The address of a one-time link, and the mail that brings it. Only here does a token meet an address."""

import secrets

from inventory_app import mail
from inventory_app.models.access import LinkPurpose
from inventory_app.settings import get_settings

_SUBJECTS = {
    LinkPurpose.INVITE: "Your account at {company}",
    LinkPurpose.RESET: "Choose a new password for {company}",
}
_TEXT = """Hello,

{what}
Open this link and choose a password; it works once, within {hours} hours:

{link}

Your username is {username}.
If you did not expect this, do not open it and tell an administrator.
"""
_WHAT = {
    LinkPurpose.INVITE: "somebody has made an account for you.",
    LinkPurpose.RESET: "an administrator lets you choose a new password. The old one does not work any more.",
}


def new_token() -> str:
    """Return the secret of a new link."""
    return secrets.token_urlsafe(32)


def address(token: str) -> str:
    """Return the link; the token stands after the #, which browsers never send."""
    return f"{get_settings().public_url}/link#{token}"


def send(to: str, username: str, purpose: LinkPurpose, token: str) -> None:
    """Mail the link; raises `mail.NotSent`."""
    settings = get_settings()
    text = _TEXT.format(what=_WHAT[purpose], hours=settings.link_hours, link=address(token), username=username)
    mail.send(to, _SUBJECTS[purpose].format(company=settings.company), text)
