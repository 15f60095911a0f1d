"""A company applies to become a supplier: open to anyone with the link."""

from typing import Any

import reflex as rx
from pydantic import Field

from inventory_app import sealing
from inventory_app.context import acting_as
from inventory_app.operations import application_documents, suppliers
from inventory_app.states._action import FormState, Payload, action
from inventory_app.states._guard import event_actor, event_visitor
from inventory_app.states.auth import AuthState
from inventory_app.unit_of_work import in_transaction


class Application(Payload):
    """What the company enters; the operation says what is wrong with it."""

    name: str
    tax_id: str
    contact_name: str
    email: str
    phone: str = ""
    address: str = ""
    website: str = ""
    message: str = ""
    #: A field that people neither see nor reach: only a machine fills it.
    company_fax: str = Field(default="", exclude=True)


class ApplyState(FormState, rx.State):
    """The application form, whether it was sent, and the sealed number that documents are sent with."""

    sent: bool = False
    application: str = ""

    @rx.event
    @action(public=True)
    async def load(self) -> None:
        """Start with an empty form, or thank again after a document was sent."""
        if self.router.url.query_parameters.get("sent"):
            kept = (await self.get_state(AuthState)).form_values.get("application", "")
            self.sent, self.application = self.sent or kept != "", kept or self.application
        if self.sent and self.router.url.query_parameters.get("sent"):
            return
        self.sent, self.application = False, ""
        self._new_form()

    @rx.event
    @action(suppliers.apply_supplier)
    async def apply_supplier(self, form: Application) -> Any:
        """Take the application; a machine need not learn that we know it is one."""
        if not form.company_fax:
            arguments = form.arguments()
            del arguments["company_fax"]
            # Who is signed in applies under their name: without one they could decide about it themselves.
            sender = event_actor()
            with acting_as(sender if sender and sender.id else event_visitor()):
                made = await in_transaction(suppliers.apply_supplier, **arguments)
            self.application = sealing.seal(application_documents.SEALED_FOR, made.supplier_id)
        self.sent = True
        self._new_form()
