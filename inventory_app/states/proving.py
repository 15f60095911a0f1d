"""What can be asked of a person who proves who they are: after the password, and again before sensitive changes."""

from typing import Any

import reflex as rx

from inventory_app.context import acting_as
from inventory_app.http import _requests as http
from inventory_app.http._sealed import pending
from inventory_app.operations import proving
from inventory_app.operations.proving import Ways
from inventory_app.states._action import action
from inventory_app.states._guard import event_visitor
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import fetch


class ProvingState(rx.State):
    """The ways that the pages `/login/factor` and `/confirm` offer."""

    #: A sign-in waits for its second factor in this browser.
    waiting: bool = False
    app: bool = False
    passkey: bool = False
    password: bool = True
    single_sign_on: bool = False

    def _offer(self, ways: Ways) -> None:
        self.app, self.passkey = ways.app, ways.passkey
        self.password, self.single_sign_on = ways.password, ways.single_sign_on

    @rx.event
    @action(public=True)
    async def load_factor(self) -> None:
        """Show what the sign-in that waits in this browser can be finished with."""
        waits = pending((self.router_data.get("headers") or {}).get("cookie", ""))
        self.waiting = waits is not None
        if waits is not None:
            with acting_as(event_visitor()):
                self._offer(await fetch(proving.ways_of, user_id=waits.user_id))

    @rx.event
    @action(without_factor=True)
    async def load_confirm(self) -> Any:
        """Show what the signed-in person can prove themselves by, and remember where they came from."""
        auth_state = await self.get_state(AuthState)
        auth_state.next_url = http.local_path(self.router.url.query_parameters.get("next", "/"))
        with auth_state.audit_context():
            self._offer(await fetch(proving.my_ways))
