"""The trail as a list that can be exported: found by its own search, one line an operation."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from inventory_app.audit.tables import audit_change, audit_operation
from inventory_app.errors import Invalid
from inventory_app.models.stock import ReasonCode
from inventory_app.models.users import UserInfo
from inventory_app.operations._list_filters import Asked, Asking, Condition, Filter
from inventory_app.operations._lists import Column, Join, Listing
from inventory_app.operations._trail_filter import conditions
from inventory_app.operations._trail_labels import WITH_CODES
from inventory_app.operations._trail_search import read_search
from inventory_app.permissions import Permission

_OP, _CHANGE = audit_operation.c, audit_change.c


@dataclass(frozen=True, kw_only=True)
class _Said(Filter):
    """What people type into the search of the trail; raises `Invalid` with the sentence that says what is wrong."""

    def tidied(self, text: str) -> str:
        """Leave it as it is: where it is read it is looked at."""
        return text

    def ask(self, asking: Asking, text: str) -> Asked:
        """Make the conditions: names with `*` are looked up among those that occur, so no shape is like another."""
        search = read_search(text)
        if search.problem:
            raise Invalid(search.problem)
        return tuple(conditions(asking.session, search, asking.zone)), {}

    def condition(self, shape: Any) -> Condition:
        """Ask for all of them."""
        return sa.and_(sa.true(), *shape)


_CODE = sa.func.split_part(_OP.reason, ": ", 1)
#: The reason with the code at its beginning spelled out, as the page has it (`said_reason`).
REASON = sa.case(
    (
        col(ReasonCode.label).is_not(None),
        sa.func.concat(col(ReasonCode.label), sa.func.substr(_OP.reason, sa.func.length(_CODE) + 1)),
    ),
    else_=_OP.reason,
)
#: The rows an operation changed; both carry the time of the same transaction, which leads to one partition.
CHANGES = (
    sa.select(sa.func.count())
    .select_from(audit_change)
    .where(_CHANGE.operation_id == _OP.id, _CHANGE.recorded_at == _OP.recorded_at)
    .correlate(audit_operation)
    .scalar_subquery()
)

#: The list of operations.
LIST = Listing(
    permission=Permission.AUDIT_VIEW,
    table=audit_operation,
    ident=_OP.id,
    sort="recorded",
    columns=(
        Column(key="recorded", label="Recorded", by=_OP.recorded_at, fixed=True),
        Column(key="operation", label="Operation", by=_OP.name),
        Column(key="outcome", label="Outcome", by=_OP.outcome),
        Column(key="account", label="Account", by=_OP.actor_name),
        Column(key="person", label="Person", by=col(UserInfo.sort_key), needs=("person",), nullable=True),
        Column(key="address", label="Address", by=_OP.client_ip, nullable=True),
        Column(key="reason", label="Reason"),
        Column(key="refused", label="Refused because"),
        Column(key="attempts", label="Attempts", by=_OP.attempts, numeric=True),
        Column(key="changes", label="Changes", numeric=True),
        Column(key="id", label="Record", by=_OP.id),
    ),
    search=_Said(key="q", label="Search"),
    joins={
        "person": Join(UserInfo, col(UserInfo.user_id) == _OP.actor_id, outer=True),
        "reason": Join(
            ReasonCode,
            sa.and_(
                sa.or_(*(_OP.name.startswith(module, autoescape=True) for module in WITH_CODES)),
                col(ReasonCode.code) == _CODE,
            ),
            outer=True,
        ),
    },
)
