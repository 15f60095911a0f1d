"""The one mechanism behind every business operation and every read.

`@operation(Permission.X)` turns a plain function with a verb name into an operation: one round
trip checks session, account and permission and opens the audit record in the caller's
transaction; then the body runs, is flushed, and what the database refuses becomes an
`AppError`. It never commits: `unit_of_work.in_transaction` does. Operations never call
operations; shared steps are plain functions.
"""

import functools
import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast, get_type_hints
from uuid import UUID

import sqlalchemy as sa
from pydantic import TypeAdapter
from pydantic_core import to_jsonable_python
from sqlalchemy.exc import DBAPIError, NoResultFound
from sqlmodel import Session

from inventory_app.context import Actor, current_actor, generate_operation_id
from inventory_app.database.errors import UNSTORABLE, app_error
from inventory_app.errors import AppError, Invalid, NotAllowed, NotFound, NotSignedIn
from inventory_app.permissions import NEEDS_A_PERSON, Permission, works_for_a_supplier
from inventory_app.settings import get_settings

Arguments = ParamSpec("Arguments")
Result_co = TypeVar("Result_co", covariant=True)
Plain = TypeVar("Plain")


@dataclass(frozen=True, slots=True)
class Spec:
    """What is declared about an operation or query: its name, who may, what may be logged."""

    name: str
    permission: Permission | None
    public: bool = False
    log: tuple[str, ...] = ()
    reason: tuple[str, ...] = ()
    stale_password: bool = False
    machine: bool = False
    outcome: str = "succeeded"
    without_factor: bool = False
    fresh: bool = False
    everybody: bool = False

    @property
    def staff_only(self) -> bool:
        """Whether it is for everybody who is signed in but people of suppliers: deny by default."""
        return self.permission is None and not (self.public or self.everybody)

    def reason_in(self, arguments: dict[str, Any]) -> str | None:
        """Put together the reason from the arguments declared to hold it, a code and a note, say."""
        return ": ".join(str(arguments[name]) for name in self.reason if arguments.get(name)) or None

    def loggable(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Pick the arguments that were declared fit for the log."""
        return {name: arguments[name] for name in self.log if name in arguments}


class Operation(Protocol[Arguments, Result_co]):
    """A decorated operation or query: call it with a session inside an audit context."""

    spec: Spec
    __name__: str

    def __call__(self, session: Session, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result_co:
        """Run inside the caller's transaction."""
        ...


#: What people of a supplier are told beyond the portal and their own account.
OF_THE_PORTAL = "Your account is for the supplier portal: you may see the papers of your own company there."

#: Every operation and every query by name, for the guard, the pages and the tests.
OPERATIONS: dict[str, Operation[..., Any]] = {}
QUERIES: dict[str, Operation[..., Any]] = {}


@dataclass(frozen=True, slots=True)
class Run:
    """What the transaction's owner hands to the operation through `session.info`."""

    operation_id: UUID
    key: str | None = None


def _spec_name(function: Callable[..., Any]) -> str:
    return f"{function.__module__.rpartition('.')[2].lstrip('_')}.{function.__name__}"


def operation(  # noqa: PLR0913  # as many as there are things to declare
    permission: Permission | None = None,
    *,
    public: bool = False,
    log: tuple[str, ...] = (),
    reason: str | tuple[str, ...] = (),
    stale_password: bool = False,
    machine: bool = False,
    name: str | None = None,
    outcome: str = "succeeded",
    without_factor: bool = False,
    fresh: bool = False,
    everybody: bool = False,
) -> Callable[[Callable[Concatenate[Session, Arguments], Plain]], Operation[Arguments, Plain]]:
    """Declare a business operation.

    `permission=None` means any of our people who is signed in; `everybody=True` also people of suppliers: what
    concerns one's own account only. `public=True` means also strangers, `machine=True`
    only the system and the command line. `log` names the
    arguments that may appear in the log, `reason` those that are the reason in the trail.
    `outcome="denied"` is for a refusal that commits (a wrong password and its counter).
    `stale_password` lets in who must change their password first, `without_factor` who must set up
    a second factor first; `fresh` asks for a proof in the last minutes that it is still them.
    """

    def declare(function: Callable[Concatenate[Session, Arguments], Plain]) -> Operation[Arguments, Plain]:
        spec = Spec(
            name or _spec_name(function),
            permission,
            public,
            log,
            (reason,) if isinstance(reason, str) else reason,
            stale_password,
            machine,
            outcome,
            without_factor or stale_password,
            fresh,
            # What comes before one is let in at all is about one's own account.
            everybody or without_factor or stale_password,
        )

        @functools.wraps(function)
        def run(session: Session, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Plain:
            replayed = _translated(_begin, session, spec, dict(kwargs))
            if replayed is not None:
                session.info["replayed"] = True
                return cast(Plain, _answer_type(function).validate_json(replayed))
            result = _translated(function, session, *args, **kwargs)
            _translated(session.flush)
            _remember(session, function, result)
            return result

        declared = cast("Operation[Arguments, Plain]", run)
        declared.spec = spec
        OPERATIONS.setdefault(spec.name, declared)
        return declared

    return declare


def query(
    permission: Permission | None = None,
    *,
    public: bool = False,
    stale_password: bool = False,
    without_factor: bool = False,
    everybody: bool = False,
) -> Callable[[Callable[Concatenate[Session, Arguments], Plain]], Operation[Arguments, Plain]]:
    """Declare a read: permission checked in the same read-only transaction, plain rows returned."""

    def declare(function: Callable[Concatenate[Session, Arguments], Plain]) -> Operation[Arguments, Plain]:
        spec = Spec(
            _spec_name(function),
            permission,
            public,
            stale_password=stale_password,
            without_factor=without_factor or stale_password,
            everybody=everybody or without_factor or stale_password,
        )

        @functools.wraps(function)
        def run(session: Session, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Plain:
            session.info["viewer"] = _translated(_view, session, spec)
            return _translated(function, session, *args, **kwargs)

        declared = cast("Operation[Arguments, Plain]", run)
        declared.spec = spec
        QUERIES[spec.name] = declared
        return declared

    return declare


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who reads, as the database sees them in this transaction."""

    user_id: int | None
    session_id: int | None
    permissions: frozenset[str]


def current_viewer(session: Session) -> Viewer:
    """Return the person of the running query: rows are made for what they may see."""
    return session.info["viewer"]


def operation_id(session: Session) -> UUID:
    """Return the id of the operation that is open in this session's transaction."""
    run: Run = session.info["run"]
    return run.operation_id


def on_commit(session: Session, action: Callable[[], None]) -> None:
    """Run `action` once, after the transaction has committed: for mails and files."""
    session.info.setdefault("on_commit", []).append(action)


def acting_user_id() -> int | None:
    """Return the `LocalUser.id` of the acting person, None for the system and strangers."""
    return current_actor().id


def require(session: Session, permission: Permission) -> None:
    """Refuse inside an operation what needs another permission than the operation itself."""
    actor = current_actor()
    if actor.kind == "user":
        # Whether a password or a second factor is still missing was decided at the operation's own door.
        row = session.connection().exec_driver_sql(_VIEWER, (actor.token_hash, True, True)).one()
        held = permission in row.permissions
    else:
        held = actor.kind != "anonymous" and permission not in NEEDS_A_PERSON
    if not held:
        message = f"This needs the permission “{permission.label}”, which you do not have. Ask an administrator."
        raise NotAllowed(message)


def _translated(function: Callable[..., Plain], *args: Any, **kwargs: Any) -> Plain:
    """Call, and let what the database expectedly refuses leave as an `AppError`."""
    try:
        return function(*args, **kwargs)
    except NoResultFound as error:
        raise NotFound from error
    except UnicodeEncodeError as error:
        # Half of a surrogate pair, which JSON can carry and UTF-8 cannot.
        raise Invalid(UNSTORABLE) from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        known = app_error(error)
        if known is None:
            raise
        raise known from error


_BEGIN = "SELECT * FROM audit_begin(%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)"
_BEGIN_AS = "SELECT audit_begin_as(%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)"
_VIEWER = "SELECT * FROM audit_viewer(%s,%s,%s)"
_OF_A_SUPPLIER = "SELECT EXISTS (SELECT FROM supplier_user WHERE user_id = %s)"
_REFUSE = "SELECT audit_refuse(%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)"
#: A refused reason of a megabyte must not fill the trail.
_LONGEST_TEXT = 4_000
_REMEMBER = "UPDATE idempotency SET result = %s WHERE operation_id = %s AND key = %s"


def _begin(session: Session, spec: Spec, arguments: dict[str, Any]) -> str | None:
    """Open the audit record; returns the stored answer when the key was used before."""
    actor = current_actor()
    run: Run = session.info.setdefault("run", Run(generate_operation_id()))
    reason = _recordable(spec.reason_in(arguments))
    request_hash = None if run.key is None else _hash(arguments)
    origin = (actor.client_ip, actor.user_agent, actor.request_id, reason, run.key, request_hash)
    connection = session.connection()
    if spec.machine and actor.kind not in ("system", "cli"):
        raise NotAllowed
    if actor.kind == "user":
        doors = (spec.stale_password, spec.without_factor, get_settings().fresh_minutes if spec.fresh else None)
        row = connection.exec_driver_sql(
            _BEGIN, (run.operation_id, spec.name, actor.token_hash, spec.permission, *doors, *origin)
        ).one()
        if spec.staff_only:
            viewer = connection.exec_driver_sql(_VIEWER, (actor.token_hash, True, True)).one()
            _must_be_staff(connection, viewer.user_id, viewer.permissions)
        return row.replayed
    _decide_without_session(actor, spec)
    return connection.exec_driver_sql(
        _BEGIN_AS, (run.operation_id, spec.name, spec.outcome, actor.kind, actor.name, *origin)
    ).scalar_one()


def _view(session: Session, spec: Spec) -> Viewer:
    actor = current_actor()
    connection = session.connection(execution_options={"postgresql_readonly": True})
    if actor.kind == "user":
        row = connection.exec_driver_sql(_VIEWER, (actor.token_hash, spec.stale_password, spec.without_factor)).one()
        if spec.permission is not None and spec.permission not in row.permissions:
            raise NotAllowed
        if spec.staff_only:
            _must_be_staff(connection, row.user_id, row.permissions)
        return Viewer(row.user_id, row.session_id, frozenset(row.permissions))
    _decide_without_session(actor, spec)
    held = frozenset[str]() if actor.kind == "anonymous" else frozenset(Permission)
    return Viewer(None, None, held)


def _must_be_staff(connection: sa.Connection, user_id: int, held: Collection[str]) -> None:
    """Refuse people of suppliers; while their role is switched off they hold nothing, as some of our people do."""
    if works_for_a_supplier(held) or (not held and connection.exec_driver_sql(_OF_A_SUPPLIER, (user_id,)).scalar()):
        raise NotAllowed(OF_THE_PORTAL)


def _decide_without_session(actor: Actor, spec: Spec) -> None:
    """Decide for strangers (public operations only) and machines (never in a person's place)."""
    if actor.kind == "anonymous" and not spec.public:
        raise NotSignedIn
    if actor.kind in ("system", "cli") and spec.permission in NEEDS_A_PERSON:
        message = f"This needs a person: {actor.name} cannot do it."
        raise NotAllowed(message)


@functools.cache
def _answer_type(function: Callable[..., Any]) -> TypeAdapter[Any]:
    # Making one takes as long as a transfer.
    return TypeAdapter(get_type_hints(function).get("return", type(None)))


def _remember(session: Session, function: Callable[..., Any], result: object) -> None:
    run: Run = session.info["run"]
    if run.key is not None:
        answer = _answer_type(function).dump_json(result).decode()
        session.connection().exec_driver_sql(_REMEMBER, (answer, run.operation_id, run.key))


def _recordable(text: str | None) -> str | None:
    """Return what the trail can keep of a text nobody has checked yet.

    An operation that commits has checked its reason itself, so this changes only what is refused.
    """
    if text is None:
        return None
    return text[:_LONGEST_TEXT].replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _hash(arguments: dict[str, Any]) -> str:
    canonical = json.dumps(to_jsonable_python(arguments), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _about(asked: Mapping[str, object] | None) -> str:
    listed = ", ".join(f"{name} {value}" for name, value in (asked or {}).items())
    return f" ({listed})" if listed else ""


def record_refusal(
    session: Session,
    name: str,
    error: BaseException,
    *,
    reason: str | None = None,
    asked: Mapping[str, object] | None = None,
    attempts: int = 1,
) -> None:
    """Write the denied or failed attempt of the current actor into the trail; the caller commits.

    `asked` are the arguments that may be shown: what the attempt was about.

    Under the attempt's own operation id: should that operation have committed after all
    (its answer was lost), the id is taken and this raises a unique violation.
    """
    actor = current_actor()
    run: Run = session.info["run"]
    expected = isinstance(error, AppError)
    session.connection().exec_driver_sql(
        _REFUSE,
        (
            run.operation_id,
            name,
            error.outcome if expected else "failed",
            actor.token_hash,
            actor.kind,
            actor.name,
            actor.client_ip,
            actor.user_agent,
            actor.request_id,
            _recordable(reason),
            type(error).__name__,
            # Only our own sentences: a library's text may hold data.
            _recordable(f"{error.detail}{_about(asked)}") if isinstance(error, AppError) else None,
            attempts,
        ),
    )
