"""The list of sets of changes: what it can be sorted and narrowed down by."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from inventory_app.models.lists import ChangeSet, ChangeSetStatus
from inventory_app.operations._change_fields import KINDS
from inventory_app.operations._list_filters import Asked, Asking, Condition, OneOf, Words
from inventory_app.operations._lists import Column, Listing
from inventory_app.operations._paging import like_escaped
from inventory_app.permissions import Permission

#: What a status is called, and its tone.
STATUSES: dict[str, tuple[str, str]] = {
    ChangeSetStatus.DRAFT: ("Draft", "neutral"),
    ChangeSetStatus.APPLIED: ("Applied", "ok"),
    ChangeSetStatus.REVERTED: ("Taken back", "neutral"),
    ChangeSetStatus.DISCARDED: ("Discarded", "neutral"),
}


def _word(asking: Asking, word: str) -> Asked:
    del asking
    return True, {"word": f"%{like_escaped(word)}%"}


def _finds(shape: Any, name: Callable[[str], str]) -> Condition:
    del shape
    return sa.func.lower(col(ChangeSet.title)).like(sa.bindparam(name("word"), type_=sa.Text()))


LIST = Listing(
    permission=Permission.PRODUCTS_VIEW,
    table=ChangeSet,
    ident=col(ChangeSet.id),
    sort="created",
    columns=(
        Column(key="title", label="What for", by=sa.func.lower(col(ChangeSet.title)), fixed=True),
        Column(key="kind", label="What", by=col(ChangeSet.kind)),
        Column(key="status", label="Status", by=col(ChangeSet.status)),
        Column(key="rows", label="Changes", by=col(ChangeSet.row_count), numeric=True),
        # Counted down, so that the newest stand first without being asked for.
        Column(key="created", label="Proposed", by=-col(ChangeSet.id), fixed=True),
    ),
    search=Words(key="q", label="Search", word=_word, finds=_finds),
    filters=(
        OneOf(
            key="status",
            label="Status",
            quiet=True,
            options={status.value: col(ChangeSet.status) == status.value for status in ChangeSetStatus},
            words={status: said for status, (said, _) in STATUSES.items()},
        ),
        OneOf(
            key="kind",
            label="What",
            options={kind: col(ChangeSet.kind) == kind for kind in KINDS},
            words=KINDS,
        ),
    ),
)
