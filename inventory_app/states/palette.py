"""What the palette finds: whatever a person may see, by a few letters of what it is called."""

import reflex as rx

from inventory_app.operations import finding
from inventory_app.operations.finding import Found
from inventory_app.states._action import Line, action
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import fetch


class PaletteState(rx.State):
    """What was found for what is typed into the palette; `asked` is for which text that is the answer."""

    hits: list[Found] = []
    asked: str = ""

    @rx.event
    @action()
    async def find(self, text: Line) -> None:
        """Find products, items, places, categories, suppliers, orders and people, of what this person may see."""
        auth_state = await self.get_state(AuthState)
        with auth_state.audit_context():
            self.hits = await fetch(finding.find_anything, text=text) if text else []
        self.asked = text
