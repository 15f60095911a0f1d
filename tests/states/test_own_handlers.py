"""Handlers open to everybody who is signed in, each with an honest payload, as each role.

Their door says nothing about who may: what they show is made for the viewer, and what they do is decided by their
operation, about one's own things or by a permission. Each example says what shall become of it.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from inventory_app.models._base import now
from inventory_app.models.access import ExternalIdentity, UserPicture
from inventory_app.models.approvals import Approval, Delegation
from inventory_app.models.suppliers import Supplier
from inventory_app.models.users import Permission as PermissionRow
from inventory_app.permissions import DEFAULT_ROLES, NEEDS_A_PERSON, Permission, works_for_a_supplier
from inventory_app.states.approvals import ApprovalState
from inventory_app.states.away import AwayState
from inventory_app.states.changes import ChangeSetState
from inventory_app.states.documents import DocumentsState
from inventory_app.states.imports import ImportState
from inventory_app.states.palette import PaletteState
from inventory_app.states.profile import ProfileState
from inventory_app.states.proving import ProvingState
from inventory_app.states.security import SecurityState
from inventory_app.states.supplier_products import SupplierProductsState
from tests import factories
from tests.fixtures.authenticator import change_sessions, give_app
from tests.fixtures.seeing import Trail
from tests.fixtures.server import Person, Site
from tests.fixtures.tab import Answer, Tab, event_name
from tests.states.handlers import registered

APPROVES = Permission.SUPPLIERS_APPROVE
_DAY = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()


@dataclass(frozen=True)
class Own:
    """What belongs to the person, and what waits for somebody who may decide about it."""

    me: Person
    colleague: Person
    word: str
    device: int
    factor: int
    connection: int
    lent_to_me: int
    asked_by_me: int
    waiting: int


def make_own(site: Site, me: Person) -> Own:
    colleague, word = site.person("colleague", "manager"), secrets.token_hex(5)
    device = factories.signed_in_again(me.actor).session_id or 0
    factor = give_app(me.id).factor_id
    give_app(colleague.id)
    change_sessions(me.id, strong=True)
    connection = factories.add(ExternalIdentity(user_id=me.id, issuer="https://id.example", subject=me.username))
    factories.add(UserPicture(user_id=me.id, content=b"x", media_type="image/webp", sha256=secrets.token_hex(32)))
    factories.item(factories.product(f"P{word}".upper(), name=f"Bolt {word}").id, quantity=1)
    mine, other = (factories.supplier(f"{name} {word} Ltd", source="staff") for name in ("Mine", "Other"))

    def lend(session: Any) -> int:
        id_ = session.scalar(select(PermissionRow.id).where(PermissionRow.name == APPROVES))
        # From tomorrow: it gives nothing yet.
        begins = now() + timedelta(days=1)
        row = Delegation(
            from_user_id=colleague.id, to_user_id=me.id, permission_id=id_, starts_at=begins,
            ends_at=begins + timedelta(days=1),
        )  # fmt: skip
        session.add(row)
        session.flush()
        return row.id

    def request(session: Any, supplier_id: int | None, asks: Person) -> int:
        found = session.scalars(select(Approval).where(Approval.subject_id == supplier_id)).one()
        found.requested_by = asks.id
        # What has waited longest stands on the first page, whatever else waits.
        found.requested_at = datetime(2001, 1, 1, tzinfo=UTC)
        # Only what one has entered oneself can be withdrawn.
        session.get_one(Supplier, supplier_id).entered_by = asks.id
        return found.id

    return Own(
        me, colleague, word, device, factor, connection.id or 0, factories.arrange(lend),
        factories.arrange(lambda s: request(s, mine.id, me)),
        factories.arrange(lambda s: request(s, other.id, colleague)),
    )  # fmt: skip


def _nothing(answer: Answer, own: Own, held: frozenset[Permission]) -> None:
    """What it shows is looked at by no rule of its own: that it was not refused is all."""
    del answer, own, held


def _finds(answer: Answer, own: Own, held: frozenset[Permission]) -> None:
    kinds = {hit["kind"] for hit in answer.vars().get("palette_state.hits", []) if own.word in hit["label"]}
    expected = {("product", Permission.PRODUCTS_VIEW), ("supplier", Permission.SUPPLIERS_VIEW)}
    assert kinds == {kind for kind, permission in expected if permission in held}


def _lends(answer: Answer, own: Own, held: frozenset[Permission]) -> None:
    seen = answer.vars()
    lendable = [f"may:{one}" for one in Permission if one in NEEDS_A_PERSON and one in held]
    assert [box["field"] for box in seen.get("away_state.boxes", [])] == lendable
    others = seen.get("away_state.others", [])
    assert not others or Permission.USERS_MANAGE in held
    assert [row["id"] for row in seen["away_state.rows"]] == [own.lent_to_me]


def _suggests(answer: Answer, own: Own, held: frozenset[Permission]) -> None:
    found = [pair[0] for pair in answer.vars().get("away_state.suggestions", [])]
    assert (own.colleague.username in found) == bool(NEEDS_A_PERSON & held)
    assert found == [] or NEEDS_A_PERSON & held


def _waits(answer: Answer, own: Own, held: frozenset[Permission]) -> None:
    rows = {row["id"] for row in answer.vars().get("approval_state.rows", [])}
    assert (own.waiting in rows) == (APPROVES in held)


def _mine(answer: Answer, own: Own, held: frozenset[Permission]) -> None:
    del held
    assert answer.vars()["profile_state.username"] == own.me.username
    assert own.colleague.username not in answer.text


def _devices(answer: Answer, own: Own, held: frozenset[Permission]) -> None:
    del held
    seen = answer.vars()
    assert [row["id"] for row in seen["security_state.rows"]] == [own.factor]
    assert own.device in {row["id"] for row in seen["security_state.live"]}
    assert own.colleague.actor.session_id not in {row["id"] for row in seen["security_state.live"]}


def _files(answer: Answer, own: Own, held: frozenset[Permission]) -> None:
    del own
    assert not answer.vars().get("import_state.batches") or held & {
        Permission.INVENTORY_IMPORT,
        Permission.SUPPLIERS_CREATE,
    }


NO_SET = {"change_set_id": 2**40, "version": 1}

Look = Callable[[Answer, Own, frozenset[Permission]], None]


@dataclass(frozen=True)
class Example:
    """What is sent, the operation it runs if any, and the permission that decides about that one."""

    handler: Any
    payload: Callable[[Own], dict[str, Any]] = lambda _: {}
    runs: str = ""
    needs: Permission | None = None
    look: Look = _nothing
    #: It is about something that does not exist, which the operation says.
    fails: bool = False


def _verdict(own: Own) -> dict[str, Any]:
    given = {"approval_id": own.waiting, "version": 1, "subject_version": 1}
    return {"form": given | {"decision": "approve", "reason": "Known for years"}}


def _away(own: Own) -> dict[str, Any]:
    days = {"first_day": _DAY, "last_day": _DAY}
    return {"form": {"deputy": own.colleague.username, f"may:{APPROVES}": "on", **days}}


#: In the order in which they are tried: what ends sessions or takes the factor away comes last.
EXAMPLES = (
    Example(PaletteState.find, lambda o: {"text": o.word}, look=_finds),
    Example(AwayState.load, look=_lends),
    Example(AwayState.look_up, lambda o: {"text": o.colleague.username}, look=_suggests),
    Example(AwayState.revoke, lambda o: {"delegation_id": o.lent_to_me}, "delegations.revoke_delegation"),
    Example(AwayState.delegate, _away, "delegations.delegate", APPROVES),
    Example(ApprovalState.load, look=_waits),
    Example(ApprovalState.withdraw, lambda o: {"form": {"approval_id": o.asked_by_me}}, "approvals.withdraw"),
    Example(ApprovalState.decide, _verdict, "approvals.approve", APPROVES),
    Example(ImportState.load, look=_files),
    Example(ImportState.look, look=_files),
    Example(ImportState.more_faults),
    Example(ImportState.choose_columns),
    Example(ImportState.check_file, lambda _: {"form": {"c_sku": "0"}}),
    Example(ImportState.cancel_file, lambda _: {"form": {"run": 1}}),
    Example(ImportState.close_undo),
    Example(SupplierProductsState.load),
    Example(DocumentsState.load),
    Example(DocumentsState.close),
    # What a set that exists is decided by, for each role: `test_change_sets.py`.
    Example(ChangeSetState.apply_set, lambda _: {"form": NO_SET}, "change_sets.apply_changes", fails=True),
    Example(ChangeSetState.open_revert),
    Example(
        ChangeSetState.revert_set,
        lambda _: {"form": NO_SET | {"reason": "Mistaken"}},
        "change_sets.revert_changes",
        fails=True,
    ),
    Example(ChangeSetState.discard_set, lambda _: {"form": NO_SET}, "change_sets.discard_changes", fails=True),
    Example(ProfileState.load, look=_mine),
    Example(ProfileState.remove_picture, runs="pictures.remove_picture"),
    Example(ProvingState.load_confirm),
    Example(SecurityState.load, look=_devices),
    Example(SecurityState.open_rename, lambda o: {"factor_id": o.factor}),
    Example(SecurityState.rename, lambda o: {"form": {"factor_id": o.factor, "name": "Old"}}, "factors.rename_factor"),
    Example(SecurityState.add_app, runs="factors.begin_totp"),
    Example(SecurityState.add_passkey),
    Example(SecurityState.open_codes),
    Example(SecurityState.make_codes, runs="factors.new_recovery_codes"),
    Example(SecurityState.close),
    Example(SecurityState.open_disconnect, lambda o: {"connection_id": o.connection}),
    Example(SecurityState.disconnect, lambda o: {"connection_id": o.connection}, "single_sign_on.disconnect"),
    Example(SecurityState.end_session, lambda o: {"session_id": o.device}, "devices.end_my_session"),
    Example(SecurityState.end_other_sessions, runs="devices.end_my_other_sessions"),
    Example(SecurityState.open_remove, lambda o: {"factor_id": o.factor}),
    Example(SecurityState.remove, lambda o: {"factor_id": o.factor}, "factors.remove_factor"),
)


def test_every_handler_that_is_open_to_all_who_are_signed_in_has_an_example():
    of_operations = {
        "accounts.update_profile",
        "accounts.update_own_email",
        # What is in the file decides: `test_imports.py`.
        "import_runs.apply_import",
        "import_runs.undo_import",
        # The record it belongs to decides: `test_doors.py`.
        "documents.remove_document",
    }
    bare = {
        name
        for name, handler in registered().items()
        if (one := handler.declared)
        and one.permission is None
        and not one.public
        and one.operation not in of_operations
    }
    assert bare == {event_name(example.handler) for example in EXAMPLES}


@pytest.mark.parametrize("role", [*DEFAULT_ROLES, ""], ids=lambda role: role or "no role")
async def test_they_open_for_everybody_and_do_what_the_person_may(site: Site, site_trail: Trail, role: str):
    me = site.person("ann", *((role,) if role else ()))
    visitor = site.signed_in(me)
    own = make_own(site, me)
    held = DEFAULT_ROLES[role][1] if role else frozenset[Permission]()
    async with Tab(visitor) as tab:
        for example in EXAMPLES:
            before = len(site_trail.operations(actor_name=me.username))
            answer = await tab.call(example.handler, **example.payload(own))
            done = [(o.name, o.outcome) for o in site_trail.operations(actor_name=me.username)[before:]]
            name = event_name(example.handler).rpartition("____")[2]
            declared = registered()[event_name(example.handler)].declared
            if works_for_a_supplier(held) and declared and not declared.everybody:
                assert done == [(f"event.{name}", "denied")]
                continue
            allowed = example.needs is None or example.needs in held
            if example.runs:
                outcome = "failed" if example.fails else "succeeded" if allowed else "denied"
                assert done == [(example.runs, outcome)], f"{name}: {answer.said}"
            else:
                assert done == [], name
            assert not answer.is_refused or not allowed, f"{name}: {answer.said}"
            example.look(answer, own, held)


async def test_strangers_open_none_of_them(site: Site, site_trail: Trail):
    me = site.person("ann", "manager")
    own, stranger = make_own(site, me), site.visitor()
    async with Tab(stranger) as tab:
        for example in EXAMPLES:
            answer = await tab.call(example.handler, **example.payload(own))
            assert answer.is_refused or answer.redirects, event_name(example.handler)
    assert not site_trail.operations(client_ip=stranger.address, outcome="succeeded")
