"""Who is signed in, as the pages see it, and the audit context every handler enters."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Annotated, Any
from urllib.parse import quote

import reflex as rx
from pydantic import Field
from reflex_base.registry import RegistrationContext

from inventory_app.context import acting_as
from inventory_app.errors import Invalid
from inventory_app.hashing import judge
from inventory_app.http import _requests as http
from inventory_app.http._posts import SECURITY_PAGE
from inventory_app.operations import dashboard, sessions, users
from inventory_app.operations._attempts import address_key
from inventory_app.operations._zones import known_zone
from inventory_app.operations.sessions import SignedIn
from inventory_app.permissions import Permission, works_for_a_supplier
from inventory_app.settings import get_settings
from inventory_app.states import _live, _toast
from inventory_app.states._action import FormState, Line, Payload, action
from inventory_app.states._guard import event_actor, event_visitor, sign_in_address, sign_in_page
from inventory_app.unit_of_work import fetch, in_transaction

#: Where people of a supplier begin.
PORTAL = "/portal"


class RegisterForm(Payload):
    """What a stranger enters to ask for an account; the operation says what is wrong with it."""

    username: Line
    full_name: Line
    email: Line
    password: Annotated[str, Field(max_length=1_000)]


class AuthState(FormState, rx.State):
    """The signed-in person of this tab. Filled by the guard; what a client writes here decides nothing."""

    signed_in: bool = False
    name: str = ""
    username: str = ""
    initials: str = ""
    picture: str = ""
    role_label: str = ""
    permissions: dict[str, bool] = {}
    #: The account belongs to a supplier: it has the portal, and nothing else is shown the way to.
    of_a_supplier: bool = False
    must_change_password: bool = False
    #: A role asks for a second factor, and this session has none.
    needs_factor: bool = False
    company: str = ""
    registration: str = ""
    session_days: int = 14
    #: What single sign-on is called here, and where it begins; empty when it is not set up.
    single_sign_on: str = ""
    single_sign_on_url: str = ""

    waiting_suppliers: int = 0
    #: Other requests this person can decide, and both together.
    waiting_others: int = 0
    waiting_approvals: int = 0
    waiting_people: int = 0

    csrf: str = ""
    flash: str = ""
    flash_tone: str = ""
    form_errors: dict[str, str] = {}
    form_values: dict[str, str] = {}
    next_url: str = "/"
    #: Why this tab's session is over, when it ended while the tab was open.
    ended_because: str = ""
    #: Where one signs in again then, and comes back to this page.
    sign_in_href: str = "/login"
    #: After registering: "waiting" for an administrator, or "ready" to sign in.
    registered: str = ""

    #: The session and the person this tab shows; a tuple, which Reflex hands out as it is. None: nobody has come yet.
    _filled_with: tuple[str | None, SignedIn | None] = (None, None)
    _flash_id: str = ""

    @property
    def audit_context(self) -> Callable[[], AbstractContextManager[None]]:
        """Put the sender of the current event in force: `with auth_state.audit_context():`.

        A property, so that no client can call it as an event. Does no I/O and nests; raises
        `Unattributed` when no event is being handled.
        """
        return partial(acting_as, event_actor())

    def _fill(self, person: SignedIn | None, session_key: str) -> None:
        """Show `person` in this tab, touching only what differs."""
        shown = {
            "signed_in": person is not None,
            "name": person.full_name if person else "",
            "username": person.username if person else "",
            "initials": initials(person.full_name) if person else "",
            "picture": person.picture if person else "",
            "role_label": ", ".join(person.roles).capitalize() if person else "",
            "permissions": dict.fromkeys(sorted(person.permissions), True) if person else {},
            "of_a_supplier": bool(person and works_for_a_supplier(person.permissions)),
            "must_change_password": bool(person and person.must_change_password),
            "needs_factor": bool(person and person.needs_factor),
            "company": get_settings().company,
            "registration": get_settings().registration,
            "session_days": get_settings().session_days,
            "single_sign_on": single_sign_on_name(),
        }
        for name, value in shown.items():
            if getattr(self, name) != value:
                setattr(self, name, value)
        if person is not None:
            self.ended_because = ""
        self._filled_with = (session_key, person)

    def _cookie(self, name: str) -> str:
        return http.cookie((self.router_data.get("headers") or {}).get("cookie", ""), name)

    def _time_zone(self) -> str:
        """Return the name of the zone this browser said it is in; UTC when it has said none we know."""
        return known_zone(self._cookie("zone"))

    def _page(self) -> str:
        """Return the path of the page; a full load adds a slash at its end."""
        return self.router.url.path.rstrip("/") or "/"

    def _read_cookies(self) -> None:
        """Take over the form token and, once, the message of the last POST."""
        self.csrf = http.form_token(self._cookie("visit"))
        packed = self._cookie("flash")
        message = http.decode_flash(packed) if packed else {}
        fresh = bool(message) and message.get("id") != self._flash_id
        self._flash_id = message.get("id", "") if message else ""
        self.flash = str(message.get("text", "")) if fresh else ""
        self.flash_tone = str(message.get("tone", "")) if fresh else ""
        self.form_errors = _texts(message.get("errors")) if fresh else {}
        self.form_values = _texts(message.get("values")) if fresh else {}
        if self.form_errors and self.flash == Invalid.sentence:
            # Every sentence stands beside its field.
            self.flash = ""

    @rx.event
    @action(public=True)
    async def load_public(self) -> Any:
        """Prepare a page that strangers see: form token, one-time message, where to go next."""
        self._read_cookies()
        asked = self.router.url.query_parameters.get("next", "/")
        self.next_url = http.local_path(asked)
        # A stranger's tab was never filled with anything.
        self.single_sign_on = single_sign_on_name()
        self.single_sign_on_url = f"/auth/oidc?next={quote(self.next_url, safe='')}" if self.single_sign_on else ""
        self.registered = ""
        self._new_form()
        if self.signed_in and self._page() in ("/login", "/register") and not self.must_change_password:
            return rx.redirect(self.next_url)
        return None

    @rx.event
    @action(users.register)
    async def register(self, form: RegisterForm) -> Any:
        """Ask for an account: it waits for an administrator, or is ready at once."""
        # Without the key: its record would hold a fast hash of the password. The username is unique anyway.
        entered = form.arguments() | {"idempotency_key": None}
        stranger = event_visitor()
        about = (form.username, form.full_name, form.email)
        judged = await judge(address_key(stranger.client_ip if stranger else None), form.password, about)
        if judged.why_not:
            raise Invalid(fields={"password": judged.why_not})
        with acting_as(stranger):
            done = await in_transaction(users.register, **entered)
        self.registered = "ready" if done.enabled else "waiting"
        self._new_form()

    @rx.event
    @action(public=True)
    async def guard_page(self) -> Any:
        """Send strangers to the sign-in page and back afterwards; load the counts of the navigation."""
        _live.unwatch(self)
        page, query = self._page(), self.router.url.query
        if not self.signed_in:
            return sign_in_page(f"{page}?{query}" if query else page)
        if page != "/password" and (first := self._must_do_first(page)):
            return rx.redirect(first, replace=True)
        if page in ("/password", "/confirm"):
            # They are public pages too: `load_public` has read the message, and a second look would take it for old.
            return None
        if self.of_a_supplier and page == "/":
            return rx.redirect(PORTAL, replace=True)
        self._read_cookies()
        if not (self.needs_factor or self.of_a_supplier):
            await self._count_waiting()
        if self.flash:
            return _toast.toast("error" if self.flash_tone == "bad" else "success", self.flash)
        return None

    def _must_do_first(self, page: str) -> str:
        """Return the page where something must be done before `page` may be used; empty when nothing is."""
        if self.must_change_password:
            return "/password"
        return SECURITY_PAGE if self.needs_factor and page not in (SECURITY_PAGE, "/confirm") else ""

    async def _count_waiting(self) -> None:
        with self.audit_context():
            counts = await fetch(dashboard.waiting)
        self.waiting_suppliers = counts.suppliers
        self.waiting_others = counts.others
        self.waiting_approvals = counts.suppliers + counts.others
        self.waiting_people = counts.people

    @rx.event
    @action(public=True)
    async def person_changed(self) -> Any:
        """Say what has just changed about the person of this tab: the guard has emptied or filled it already."""
        was, person = _live.before(self), self._filled_with[1]
        if was is None or was == person:
            return None
        if person is None:
            actor = event_actor()
            with acting_as(event_visitor()):
                page, query = self._page(), self.router.url.query
                self.sign_in_href = sign_in_address(f"{page}?{query}" if query else page)
                self.ended_because = await fetch(sessions.why_ended, token_hash=actor.token_hash if actor else None)
            return _toast.warning(self.ended_because, duration=60_000)
        events: list[Any] = []
        if first := self._must_do_first(self._page()):
            events.append(rx.redirect(first))
        elif was.roles != person.roles:
            roles = ", ".join(person.roles) or "none"
            events.append(_toast.warning(f"Your roles have been changed. You now have: {roles}."))
        elif was.permissions != person.permissions:
            events.append(_toast.warning("What you may do here has been changed."))
        if was.permissions - person.permissions:
            # The tab was emptied of what its person may not see any more: load what they still may.
            events.extend(RegistrationContext.get().app.get_load_events(self._page()))
        return events

    def _may(self, permission: Permission) -> bool:
        return permission in self.permissions


def single_sign_on_name() -> str:
    """Return what single sign-on is called here; empty when it is not set up."""
    settings = get_settings()
    return settings.oidc_name if settings.oidc_issuer else ""


def initials(name: str) -> str:
    """Return up to two initials of a person's name."""
    words = name.split()
    return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper()


def _texts(found: object) -> dict[str, str]:
    if not isinstance(found, dict):
        return {}
    return {str(name): str(value) for name, value in found.items()}
