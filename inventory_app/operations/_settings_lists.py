"""Units and reasons as lists that can be exported: their pages show all of them at once."""

import sqlalchemy as sa
from sqlmodel import col

from inventory_app.models.catalog import Product, Unit
from inventory_app.models.stock import ReasonCode
from inventory_app.operations._list_filters import Contains
from inventory_app.operations._lists import Column, Listing
from inventory_app.permissions import Permission

_PRODUCTS = (
    sa.select(sa.func.count())
    .select_from(Product)
    .where(col(Product.unit_code) == col(Unit.code))
    .correlate(Unit)
    .scalar_subquery()
)

UNITS = Listing(
    permission=Permission.SETTINGS_MANAGE,
    table=Unit,
    ident=col(Unit.code),
    sort="name",
    columns=(
        Column(key="name", label="Unit", by=sa.func.lower(col(Unit.name)), fixed=True),
        Column(key="code", label="Code", by=col(Unit.code)),
        Column(key="decimals", label="Decimals", by=col(Unit.decimals), numeric=True),
        Column(key="products", label="Products", by=_PRODUCTS, numeric=True),
    ),
    search=Contains(key="q", label="Search", column=col(Unit.name), folded=False),
)

REASONS = Listing(
    permission=Permission.SETTINGS_MANAGE,
    table=ReasonCode,
    ident=col(ReasonCode.code),
    sort="position",
    columns=(
        Column(key="position", label="Position", by=col(ReasonCode.position), numeric=True, fixed=True),
        Column(key="label", label="Reason", by=col(ReasonCode.label)),
        Column(key="code", label="Code", by=col(ReasonCode.code)),
        Column(key="uses", label="Given for", by=col(ReasonCode.uses)),
        Column(key="built_in", label="Comes with the application", by=col(ReasonCode.built_in)),
        Column(key="active", label="In use", by=col(ReasonCode.active)),
    ),
    search=Contains(key="q", label="Search", column=col(ReasonCode.label), folded=False),
)
