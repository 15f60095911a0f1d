"""Inviting people, correcting their accounts, and the one-time links that let them in.

A link's token is made here and shown here, once: the operation gets its hash, and so do the database, the trail and
the record of answers. It leaves the tab's memory with the dialog.
"""

import asyncio
from typing import Any

import reflex as rx

from inventory_app import mail, one_time_links, people
from inventory_app.operations import accounts, proving, users
from inventory_app.operations.accounts import LinkMade
from inventory_app.operations.sessions import hash_token
from inventory_app.permissions import Permission
from inventory_app.settings import get_settings
from inventory_app.states import _toast
from inventory_app.states._action import FormState, Id, Line, Note, Payload, action
from inventory_app.states._people_rows import Person, RoleBox, TickedRoles, box_of, person_of
from inventory_app.states.auth import AuthState
from inventory_app.states.users import shown_again
from inventory_app.unit_of_work import fetch, in_transaction


class InviteForm(TickedRoles):
    """Who is invited; the operation says what is wrong with it."""

    username: Line
    full_name: Line
    email: Line


class EditForm(Payload):
    """Somebody else's name and address, and the version they were read with."""

    user_id: Id
    full_name: Line
    email: Line
    version: int


class LinkForm(Payload):
    """Who gets a new link, and why."""

    user_id: Id
    reason: Note


class AccountsState(FormState, rx.State):
    """The dialog about somebody's account, and the link it has made while it is shown."""

    dialog: str = ""
    person: Person | None = None
    boxes: list[RoleBox] = []

    link: str = ""
    #: Whose it is, what it is for (invite or reset), until when it works.
    link_name: str = ""
    link_for: str = ""
    link_ends: str = ""
    link_hours: int = 0
    #: Where the link was mailed to; or why that failed. Both empty: no mail server is configured.
    mailed_to: str = ""
    not_sent: str = ""

    @rx.event
    @action(accounts.invite_user)
    async def open_invite(self) -> None:
        """Ask who is to be invited."""
        auth_state = await self.get_state(AuthState)
        self.boxes = []
        with auth_state.audit_context():
            # Refused here rather than after everything has been filled in.
            await fetch(proving.proved_lately)
        if auth_state._may(Permission.USERS_ASSIGN_ROLES):  # noqa: SLF001  # ours
            with auth_state.audit_context():
                roles = await fetch(users.roles_to_give)
            self.boxes = [box_of(role, held=False) for role in roles]
        self._open("invite", None)

    @rx.event
    @action(accounts.edit_user)
    async def open_edit(self, user_id: Id) -> None:
        """Ask for somebody's right name and address."""
        await self._open_about("edit", user_id)

    @rx.event
    @action(accounts.make_reset_link)
    async def open_link(self, user_id: Id) -> None:
        """Ask why somebody needs a new link."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            # Refused here rather than after the reason has been written.
            await fetch(proving.proved_lately)
        await self._open_about("new link", user_id)

    @rx.event
    @action(accounts.withdraw_invitation)
    async def open_withdraw(self, user_id: Id) -> None:
        """Ask once before an invitation stops working."""
        await self._open_about("withdraw", user_id)

    async def _open_about(self, dialog: str, user_id: int) -> None:
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            row = await fetch(users.one_user, user_id=user_id)
        self._open(dialog if row else "", person_of(row) if row else None)

    def _open(self, dialog: str, person: Person | None) -> None:
        self._new_form()
        self._forget_link()
        self.dialog, self.person = dialog, person

    def _forget_link(self) -> None:
        self.link = self.link_name = self.link_for = self.link_ends = self.mailed_to = self.not_sent = ""

    @rx.event
    @action(Permission.USERS_MANAGE)
    async def close(self, is_open: bool = False) -> None:  # noqa: FBT001, FBT002  # as the dialog sends it
        """Close the dialog; a link it has shown is gone."""
        if not is_open:
            self.dialog = ""
            self._forget_link()

    @rx.event
    @action(accounts.invite_user)
    async def invite(self, form: InviteForm) -> Any:
        """Make an account for somebody, and the link they come in by."""
        token = one_time_links.new_token()
        # Without the key: a second sending would be answered with a link that nobody has. Usernames are unique anyway.
        entered = form.arguments() | {"idempotency_key": None, "token_hash": hash_token(token)}
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            made = await in_transaction(accounts.invite_user, **entered)
        return await self._show_link(made, token)

    @rx.event
    @action(accounts.make_reset_link)
    async def make_link(self, form: LinkForm) -> Any:
        """Let somebody choose a new password by a link, or send somebody who was invited a new one."""
        token = one_time_links.new_token()
        # Without the key, as above: the newest link is the one that works.
        asked = form.arguments() | {"idempotency_key": None, "token_hash": hash_token(token)}
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            made = await in_transaction(accounts.make_reset_link, **asked)
        return await self._show_link(made, token)

    async def _show_link(self, made: LinkMade, token: str) -> Any:
        await self._keep_link(made, token)
        return shown_again(self)

    async def _keep_link(self, made: LinkMade, token: str) -> None:
        """Show a link that was just made, and mail it where that is set up."""
        people.forget_everybody()
        self._open("link", None)
        self.link, self.link_name, self.link_for = one_time_links.address(token), made.username, made.purpose.value
        self.link_ends, self.link_hours = made.expires, get_settings().link_hours
        if mail.is_configured():
            try:
                await asyncio.to_thread(one_time_links.send, made.email, made.username, made.purpose, token)
            except mail.NotSent as error:
                # The link is made all the same: it stands here to be handed over.
                self.not_sent = str(error)
            else:
                self.mailed_to = made.email

    @rx.event
    @action(accounts.edit_user)
    async def edit(self, form: EditForm) -> Any:
        """Correct somebody's name and address."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            name = await in_transaction(accounts.edit_user, **form.arguments())
        return self._done(f"Corrected the account of {name}")

    @rx.event
    @action(accounts.withdraw_invitation)
    async def withdraw(self, user_id: Id, idempotency_key: Line = "") -> Any:
        """Make the link of somebody who was invited stop working."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            name = await in_transaction(
                accounts.withdraw_invitation, user_id=user_id, idempotency_key=idempotency_key or None
            )
        return self._done(f"The invitation of {name} does not work any more")

    def _done(self, message: str) -> Any:
        people.forget_everybody()
        self._open("", None)
        return [*shown_again(self), _toast.success(message)]
