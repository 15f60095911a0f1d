"""What a company sends with its application: kept with that and with nothing else, for an hour, a few files."""

from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import Session, col

from inventory_app.errors import Conflict, Invalid
from inventory_app.models._base import now
from inventory_app.models.documents import Document
from inventory_app.models.suppliers import Supplier, SupplierStatus
from inventory_app.operations import documents
from inventory_app.operations._operation import operation
from inventory_app.operations._strangers import slow_down
from inventory_app.operations._supplier_changes import locked

#: So many files can be sent with one application, each at most so large.
MOST = 5
LARGEST_FILE = 5 * 2**20
#: For so long after the application.
OPEN_FOR = timedelta(hours=1)
#: What the number of an application is sealed for (`sealing.py`).
SEALED_FOR = "application"
ATTACHING = "application_documents.attach_to_application"


@operation(public=True, name=ATTACHING, log=("supplier_id", "media_type"))
def attach_to_application(  # as many as there is to know of a file
    session: Session, *, supplier_id: int, name: str, media_type: str, content: bytes, sha256: str
) -> str:
    """Keep a document with an application that waits and was sent within the hour; returns how it is called.

    To be called for who holds the application's sealed number, which only its sender was given.
    """
    slow_down(session, ATTACHING)
    supplier = locked(session, supplier_id)
    if not _is_open(supplier):
        message = "This application takes no more documents. Apply again, or ask whom you know here."
        raise Conflict(message)
    if len(content) > LARGEST_FILE:
        message = f"This file is too large: at most {LARGEST_FILE // 2**20} MB."
        raise Invalid(message)
    sent = session.scalar(
        sa.select(sa.func.count()).where(
            col(Document.subject_type) == "supplier",
            col(Document.subject_id) == supplier_id,
            col(Document.created_at) >= supplier.submitted_at,
        )
    )
    if (sent or 0) >= MOST:
        message = f"At most {MOST} documents can be sent with an application."
        raise Invalid(message)
    documents.keep(session, "supplier", supplier_id, documents.Sent("document", name, media_type, content, sha256))
    return name


def _is_open(supplier: Supplier) -> bool:
    in_time = now() - supplier.submitted_at <= OPEN_FOR
    return supplier.status == SupplierStatus.PENDING and supplier.source == "application" and in_time
