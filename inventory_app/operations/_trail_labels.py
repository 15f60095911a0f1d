"""What people call the tables and columns of the trail: the one place, complete by test.

A column is `INTERNAL` when it says nothing a person asks about (keys, counters, what is derived from other columns or
repeats who did it and when): it shows only among the technical fields of a change, under its own name.
"""

from collections.abc import Mapping

from inventory_app.models.stock import MovementKind

#: Table -> what one and several of its records are called.
TABLES: dict[str, tuple[str, str]] = {
    "account_link": ("one-time link", "one-time links"),
    "approval": ("request for approval", "requests for approval"),
    "approval_decision": ("decision", "decisions"),
    "approval_party": ("part in a request", "parts in requests"),
    "auth_session": ("session", "sessions"),
    "category": ("category", "categories"),
    "change_set": ("set of changes", "sets of changes"),
    "change_set_row": ("change in a set", "changes in sets"),
    "default_view": ("view a list begins with", "views lists begin with"),
    "delegation": ("deputy", "deputies"),
    "document": ("document", "documents"),
    "document_content": ("document's content", "documents' contents"),
    "external_identity": ("single sign-on", "single sign-ons"),
    "import_batch": ("imported file", "imported files"),
    "inventory_item": ("stock item", "stock items"),
    "local_user": ("account", "accounts"),
    "location": ("location", "locations"),
    "lot": ("lot", "lots"),
    "period_close": ("closed period", "closed periods"),
    "permission": ("permission", "permissions"),
    "product": ("product", "products"),
    "product_price": ("price", "prices"),
    "reason_code": ("reason", "reasons"),
    "recovery_code": ("recovery code", "recovery codes"),
    "reservation": ("reservation", "reservations"),
    "role": ("role", "roles"),
    "role_permission": ("permission of a role", "permissions of roles"),
    "saved_view": ("saved view", "saved views"),
    "second_factor": ("second factor", "second factors"),
    "shipment": ("shipment", "shipments"),
    "stock_movement": ("movement", "movements"),
    "supplier": ("supplier", "suppliers"),
    "supplier_product": ("supplier's terms", "suppliers' terms"),
    "unit": ("unit", "units"),
    "user_info": ("person", "people"),
    "user_picture": ("picture", "pictures"),
    "user_role": ("role of a person", "roles of people"),
}

#: In every table, unless the table says otherwise.
_EVERYWHERE = {
    "active": "In use",
    "category_id": "Category",
    "code": "Code",
    "created_at": "Made",
    "created_by": "Made by",
    "currency": "Currency",
    "description": "Description",
    "email": "E-mail",
    "full_name": "Name",
    "kind": "Kind",
    "location_id": "Location",
    "lot_id": "Lot",
    "name": "Name",
    "note": "Note",
    "parent_id": "Part of",
    "permission_id": "Permission",
    "product_id": "Product",
    "quantity": "Quantity",
    "reason": "Reason",
    "role_id": "Role",
    "supplier_id": "Supplier",
    "unit_code": "Unit",
    "unit_cost": "Unit cost",
    "unit_price": "Unit price",
    "user_id": "Person",
}

#: Column -> its label, by table.
COLUMNS: dict[str, dict[str, str]] = {
    "account_link": {
        "purpose": "Lets them",
        "token_hash": "Link",
        "expires_at": "Works until",
        "used_at": "Used",
        "revoked_at": "Stopped",
    },
    "approval": {
        "kind": "What it is about",
        "subject_id": "Number of the record",
        "asked": "What was asked",
        "permission": "Who may decide",
        "required": "People who must agree",
        "requested_by": "Asked by",
        "requested_at": "Asked",
        "expires_at": "Expires",
        "status": "Status",
        "closed_at": "Closed",
    },
    "approval_decision": {
        "approval_id": "Request",
        "authority_id": "In the name of",
        "verdict": "Decision",
        "decided_at": "Decided",
    },
    "approval_party": {"approval_id": "Request", "part": "Part"},
    "auth_session": {
        "token_hash": "Session key",
        "created_at": "Signed in",
        "expires_at": "Ends at the latest",
        "idle_minutes": "Ends after idle minutes",
        "revoked_at": "Ended",
        "client_ip": "Address",
        "user_agent": "Browser",
        "method": "Proved by",
        "strong": "With a second factor",
        "reauthenticated_at": "Proved last",
        "identity_id": "Came from",
        "provider_session": "Session at the provider",
    },
    "change_set": {
        "title": "What for",
        "status": "Status",
        "row_count": "Changes",
        "effective_on": "Counts from",
        "applied_at": "Applied",
        "reverted_at": "Taken back",
    },
    "change_set_row": {
        "change_set_id": "Set of changes",
        "subject_id": "Number of the record",
        "field": "Field",
        "before": "Before",
        "after": "After",
    },
    "default_view": {"user_id": "Whose", "page": "Page", "view_id": "View"},
    "delegation": {
        "from_user_id": "Who is away",
        "to_user_id": "Deputy",
        "starts_at": "From",
        "ends_at": "Until",
        "revoked_at": "Ended early",
    },
    "document": {
        "subject_type": "Belongs to",
        "subject_id": "Number of the record",
        "media_type": "Format",
        "size": "Size in bytes",
        "expires_on": "Good until",
        "removed_at": "Removed",
    },
    "document_content": {"document_id": "Document", "content": "Content", "thumbnail": "Small picture"},
    "external_identity": {"issuer": "Provider", "subject": "Known there as", "removed_at": "Disconnected"},
    "import_batch": {
        "file_name": "File",
        "row_count": "Rows",
        "imported_at": "Imported",
        "imported_by": "Imported by",
        "undone_at": "Taken back",
        "undone_by": "Taken back by",
    },
    "inventory_item": {"quantity": "On hand"},
    "local_user": {
        "username": "Username",
        "password_hash": "Password",
        "enabled": "May sign in",
        "must_change_password": "Must change the password",
        "enabled_at": "First let in",
    },
    "lot": {"expires_on": "Good until"},
    "period_close": {
        "closed_through": "Closed up to",
        "closed_at": "Closed",
        "closed_by": "Closed by",
        "reopened_at": "Opened again",
        "reopened_by": "Opened again by",
        "reopened_reason": "Why it was opened again",
    },
    "product": {
        "sku": "SKU",
        "barcode": "Barcode",
        "lots_kept": "Kept by lot",
        "reorder_point": "Reorder point",
        "reorder_quantity": "Reorder quantity",
        "supplier_id": "Preferred supplier",
    },
    "product_price": {
        "valid_from": "Valid from",
        "old_price": "Old price",
        "new_price": "New price",
        "status": "Status",
        "change_set_id": "Set of changes",
    },
    "reason_code": {
        "label": "What people read",
        "uses": "Given for",
        "position": "Place in the list",
        "built_in": "Comes with the application",
    },
    "recovery_code": {"code_hash": "Code", "used_at": "Used", "revoked_at": "Replaced"},
    "reservation": {
        "item_id": "Stock item",
        "expires_at": "Kept until",
        "reference": "For",
        "released_at": "Released",
    },
    "role": {
        "built_in": "Comes with the application",
        "needs_factor": "Needs a second factor",
        "grant_needs_approval": "Giving it needs approval",
    },
    "saved_view": {"page": "Page", "owner_id": "Whose", "shared": "Shared", "view": "View", "removed_at": "Removed"},
    "second_factor": {
        "sealed_seed": "Secret",
        "credential_id": "Passkey",
        "public_key": "Public key",
        "confirmed_at": "Confirmed",
        "removed_at": "Removed",
    },
    "shipment": {
        "from_item_id": "From",
        "transit_item_id": "On the way as",
        "to_location_id": "To",
        "accepted": "Accepted",
        "lost": "Lost on the way",
        "status": "Status",
        "sent_at": "Sent",
        "sent_by": "Sent by",
        "accepted_at": "Arrived",
        "accepted_by": "Accepted by",
    },
    "stock_movement": {
        "item_id": "Stock item",
        "value": "Value",
        "reason_code": "Reason",
        "reference_type": "Kind of reference",
        "reference": "Reference",
        "occurred_at": "Happened",
        "reverses": "Takes back",
    },
    "supplier": {
        "external_id": "Number in the file",
        "tax_id": "Tax number",
        "contact_name": "Contact",
        "contact_title": "Contact's title",
        "phone": "Phone",
        "fax": "Fax",
        "website": "Website",
        "address": "Address",
        "city": "City",
        "region": "Region",
        "postal_code": "Postal code",
        "country": "Country",
        "payment_terms": "Payment terms",
        "message": "Message",
        "status": "Status",
        "source": "Came by",
        "submitted_at": "Submitted",
        "entered_by": "Entered by",
        "last_edited_by": "Last edited by",
        "decided_by": "Decided by",
        "decided_at": "Decided",
        "approved_at": "Approved",
        "decision_reason": "Reason of the decision",
        "valid_until": "Valid until",
    },
    "supplier_product": {
        "supplier_sku": "The supplier's SKU",
        "cost": "Cost",
        "purchase_unit": "Ordered in",
        "pack_size": "Units in one of them",
        "minimum_quantity": "Smallest order",
        "lead_time_days": "Days until it comes",
    },
    "unit": {"decimals": "Decimals"},
    "user_picture": {"content": "Picture", "media_type": "Format", "updated_at": "Changed"},
}

#: Columns people are not asked to read, by table; `*` is every table.
INTERNAL: dict[str, frozenset[str]] = {
    "*": frozenset({"id", "sort_key", "search", "version", "sequence", "operation_id"}),
    "document": frozenset({"sha256"}),
    "import_batch": frozenset({"file_hash"}),
    "inventory_item": frozenset({"changed_at", "changed_by"}),
    "stock_movement": frozenset({"recorded_at"}),
    "user_picture": frozenset({"sha256"}),
}

#: What a stored code means, by table and column; the reasons of movements are in a table of their own (`_reasons`).
CODES: dict[tuple[str, str], dict[str, str]] = {
    ("stock_movement", "kind"): {kind.value: kind.value.capitalize() for kind in MovementKind},
    ("supplier", "source"): {"application": "Its own application", "staff": "Staff", "import": "An import"},
}


#: What is done by other operations now, and stands in older trails under these names.
FORMER_OPERATIONS: dict[str, str] = {
    "imports.import_categories": "Imported categories",
    "imports.import_products": "Imported products",
    "imports.import_suppliers": "Imported suppliers",
}

#: What somebody did, for those whose words are not the operation's own name.
OPERATIONS: dict[str, str] = {
    "accounts.edit_user": "Corrected an account",
    "accounts.invite_user": "Invited somebody",
    "accounts.make_reset_link": "Made a password link",
    "accounts.redeem_link": "Chose a password",
    "accounts.update_own_email": "Changed my e-mail address",
    "accounts.update_profile": "Changed my name",
    "accounts.update_user_email": "Corrected an e-mail address",
    "accounts.withdraw_invitation": "Withdrew an invitation",
    "approvals.approve": "Approved a request",
    "approvals.reject": "Rejected a request",
    "approvals.withdraw": "Withdrew a request",
    "bulk_roles.change_roles": "Changed the roles of many",
    "catalog.create_location": "Added a location",
    "change_sets.apply_changes": "Applied a set of changes",
    "change_sets.discard_changes": "Discarded a set of changes",
    "change_sets.propose_prices": "Proposed prices",
    "change_sets.propose_prices_by_sku": "Proposed the prices of a file",
    "change_sets.propose_products": "Proposed changes of products",
    "change_sets.propose_quantities": "Proposed quantities",
    "change_sets.revert_changes": "Took a set of changes back",
    "categories.create_category": "Added a category",
    "categories.set_category_active": "Closed or opened a category",
    "categories.update_category": "Corrected a category",
    "delegations.delegate": "Chose a deputy",
    "delegations.revoke_delegation": "Ended a deputy's time",
    "devices.end_my_other_sessions": "Signed out my other devices",
    "devices.end_my_session": "Signed out a device of mine",
    "devices.end_sessions_of": "Signed somebody out",
    "documents.attach_document": "Added a picture or document",
    "documents.remove_document": "Removed a picture or document",
    "factors.begin_totp": "Began to add an authenticator app",
    "factors.confirm_totp": "Added an authenticator app",
    "factors.new_recovery_codes": "Made recovery codes",
    "factors.register_passkey": "Added a passkey",
    "factors.remove_factor": "Removed a second factor",
    "factors.rename_factor": "Renamed a second factor",
    "factors.reset_factors": "Reset somebody's second factors",
    "exports.export_list": "Exported a list",
    "import_runs.apply_import": "Imported a file",
    "import_runs.undo_import": "Took an imported file back",
    "locations.set_location_active": "Closed or opened a location",
    "locations.update_location": "Corrected a location",
    "lots.create_lot": "Added a lot",
    "lots.update_lot": "Corrected a lot",
    "periods.close_period": "Closed a period",
    "periods.reopen_period": "Opened a period again",
    "pictures.remove_picture": "Removed my picture",
    "pictures.set_picture": "Changed my picture",
    "products.archive_product": "Archived a product",
    "products.create_product": "Added a product",
    "products.restore_product": "Restored a product",
    "products.update_product": "Corrected a product",
    "proving.confirm_identity": "Confirmed that it was me",
    "reasons.add_reason": "Added a reason",
    "reasons.change_reason": "Changed a reason",
    "reasons.move_reason": "Put the reasons in another order",
    "reasons.switch_reason": "Switched a reason on or off",
    "reservations.release_reservation": "Released a reservation",
    "reservations.reserve": "Reserved stock",
    "reversals.reverse_movement": "Took a movement back",
    "reversals.reverse_operation": "Took something back",
    "roles.activate_role": "Activated a role",
    "roles.change_permissions": "Changed what roles may do",
    "roles.clone_role": "Copied a role",
    "roles.create_role": "Made a role",
    "roles.deactivate_role": "Deactivated a role",
    "roles.delete_role": "Deleted a role",
    "roles.edit_role": "Edited a role",
    "roles.set_permissions": "Changed what a role may do",
    "shipments.accept_shipment": "Accepted a shipment",
    "shipments.send_shipment": "Sent a shipment",
    "pricing.apply_planned_prices": "Brought planned prices into force",
    "pricing.cancel_planned_price": "Cancelled a planned price",
    "pricing.update_pricing": "Changed prices",
    "stock.adjust_inventory": "Adjusted stock",
    "stock.bulk_update_inventory": "Counted stock",
    "stock.create_inventory_item": "Added an item",
    "stock.issue_inventory": "Issued stock",
    "stock.receive_inventory": "Received stock",
    "stock.transfer_inventory": "Moved stock",
    "supplier_products.create_supplier_product": "Entered a supplier's terms",
    "supplier_products.update_supplier_product": "Corrected a supplier's terms",
    "suppliers.approve_supplier": "Approved a supplier",
    "suppliers.create_supplier": "Entered a supplier",
    "suppliers.reject_supplier": "Rejected a supplier",
    "suppliers.update_supplier": "Corrected a supplier",
    "units.create_unit": "Added a unit",
    "units.update_unit": "Corrected a unit",
    "users.change_user_role": "Changed somebody's roles",
    "users.deactivate_user": "Disabled an account",
    "users.enable_user": "Let somebody in",
    "users.erase_personal_data": "Erased personal data",
    "users.set_user_roles": "Changed somebody's roles",
    "valuation.revalue_product": "Revalued a product",
}


def operation_words(name: str) -> str:
    """Return what somebody did who carried out an operation: "Moved stock"; else its name in plain words."""
    known = OPERATIONS.get(name) or FORMER_OPERATIONS.get(name)
    return known or name.rpartition(".")[2].replace("_", " ").capitalize()


def is_internal(table: str, column: str) -> bool:
    """Tell whether a column is only of technical interest."""
    return column in INTERNAL["*"] or column in INTERNAL.get(table, frozenset())


def column_label(table: str, column: str) -> str:
    """Return what people call a column; its own name when nobody has named it (a table that is gone)."""
    return COLUMNS.get(table, {}).get(column) or (_EVERYWHERE.get(column, column) if table in TABLES else column)


def noun(table: str, number: int = 1) -> str:
    """Return what one record of a table, or several, are called."""
    one, many = TABLES.get(table, (table, table))
    return one if number == 1 else many


#: Modules whose operations are given a code for their reason, before the note.
WITH_CODES = ("stock.", "reversals.")


def said_reason(operation: str, reason: str | None, labels: Mapping[str, str]) -> str:
    """Return a recorded reason with the code at its beginning spelled out: "Damaged: fell off the shelf"."""
    code, colon, note = (reason or "").partition(": ")
    words = labels if operation.startswith(WITH_CODES) else {}
    return f"{words.get(code, code)}{colon}{note}"
