"""The form of a supplier as staff fill it in, to enter it and to correct it."""

from dataclasses import fields
from typing import Any

from inventory_app.operations._supplier_fields import Details
from inventory_app.states._action import Line, Name, Note, Payload


class DetailsForm(Payload):
    """The name of a supplier and what else is known of it."""

    name: Name
    tax_id: Line = ""
    contact_name: Line = ""
    contact_title: Line = ""
    email: Line = ""
    phone: Line = ""
    website: Line = ""
    address: Note = ""
    city: Line = ""
    postal_code: Line = ""
    country: Line = ""
    payment_terms: Line = ""
    currency: Line = ""

    def arguments(self) -> dict[str, Any]:
        """Return the arguments as every form does, the details put together."""
        given = super().arguments()
        given["details"] = Details(**{field.name: given.pop(field.name) for field in fields(Details)})
        return given
