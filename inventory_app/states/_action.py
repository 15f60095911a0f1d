"""`@action`: what every handler shares, once.

    class InventoryState(FormState, rx.State):
        @rx.event
        @action(stock.transfer_inventory)          # the handler's permission is its operation's
        async def transfer_inventory(self, form: TransferForm):
            auth_state = await self.get_state(AuthState)
            with auth_state.audit_context():
                await in_transaction(stock.transfer_inventory, **form.arguments())
            return [InventoryState.load, _toast.success("Transfer completed")]

The payload arrives as whatever the client sent; it is parsed into the annotated types before the
body runs, and refusals become field errors and a toast. `@action(Permission.X)` is for handlers
that only read or change the page, `@action(public=True)` for those strangers may send.
"""

import functools
import inspect
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal, TypeVar, cast, get_type_hints

import reflex as rx
import structlog
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from inventory_app import people
from inventory_app.errors import (
    AccountDisabled,
    AlreadyDecided,
    AppError,
    Invalid,
    InvalidRows,
    NotSignedIn,
    Stale,
)
from inventory_app.operations._fields import unusable
from inventory_app.operations._operation import Operation
from inventory_app.permissions import Permission
from inventory_app.states import _toast
from inventory_app.states._guard import event_actor, refusal_events

log = structlog.get_logger(__name__)
Handler = TypeVar("Handler", bound=Callable[..., Awaitable[Any]])

#: The attribute of a handler that carries its `Action`.
DECLARED = "declared_action"
#: What a mixin declares its handlers with: each State that is made from it names the permission (`own_permission`).
#: Nobody holds a permission of this name, so one that was forgotten lets nobody in.
OWN: Literal["own"] = "own"

_SENTENCES = {
    "missing": "Please fill this in.",
    "string_too_short": "Please fill this in.",
    "string_too_long": "This is too long.",
    "int_parsing": "Enter a whole number.",
    "int_type": "Enter a whole number.",
    "int_from_float": "Enter a whole number.",
    "decimal_parsing": "Enter a number such as 12 or 12.5.",
    "decimal_type": "Enter a number such as 12 or 12.5.",
    "decimal_max_digits": "This number is too large.",
    "decimal_whole_digits": "This number is too large.",
    "decimal_max_places": "Use fewer decimals.",
    "finite_number": "Enter a number such as 12 or 12.5.",
    "greater_than": "Enter a number above {gt}.",
    "greater_than_equal": "Enter {ge} or more.",
    "enum": "Choose one of the list.",
    "literal_error": "Choose one of the list.",
}


def _storable(value: object) -> object:
    """Leave it to the person to take out what cannot be stored, or cannot be seen and turns the text around it."""
    if isinstance(value, str) and (fault := unusable(value, lines=True)):
        raise ValueError(fault)
    return value


#: A line of text: trimmed, no NUL, at most 200 characters. `Line` may be empty, `Name` not.
Line = Annotated[str, BeforeValidator(_storable), StringConstraints(strip_whitespace=True, max_length=200)]
Name = Annotated[
    str,
    BeforeValidator(_storable),
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
]
#: Longer text, at most 2,000 characters.
Note = Annotated[str, BeforeValidator(_storable), StringConstraints(strip_whitespace=True, max_length=2_000)]
#: The key of a record.
Id = Annotated[int, Field(gt=0, lt=2**63)]


class Payload(BaseModel):
    """A typed form: unknown fields are refused, `key` is the idempotency key rendered into it."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    idempotency_key: Annotated[str, StringConstraints(max_length=64)] = ""

    def arguments(self) -> dict[str, Any]:
        """Return the fields as keyword arguments for `in_transaction`, the key included."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        values["idempotency_key"] = values["idempotency_key"] or None
        return values


class FormState(rx.State, mixin=True):
    """The part of a State that forms need: field errors, a turn that frees busy buttons, the key.

    `errors` maps a field's name to the sentence beside it; the form itself stays filled.
    """

    errors: dict[str, str] = {}
    turn: int = 0
    idempotency_key: str = ""

    _form_state: ClassVar[bool] = True

    def _new_form(self) -> None:
        """Give the next submission a key of its own and clear the errors."""
        self.errors = {}
        self.idempotency_key = secrets.token_hex(16)


class LongFormState(FormState, mixin=True):
    """A form with a page of its own, whose fields keep in the browser what is typed.

    `load` runs when the page is opened, but also when a connection comes back: then nothing may be lost. A State
    outlives the page: what was typed the last time may not stand in the form of something else.
    """

    #: Until it is known what stands in it.
    loading: bool = True
    #: The `key` of the form: with another one its fields begin anew.
    begun: int = 0

    _about: str = ""

    def _begin(self, about: str) -> bool:
        """Tell whether the form is about something else than the last time, or that was saved."""
        if about == self._about:
            return False
        self._about = about
        self.begun += 1
        self._new_form()
        return True

    def _saved(self) -> None:
        """Begin anew the next time, whatever it is about: nothing is typed into what was saved."""
        self._about, self.loading = "", True
        self._new_form()


@dataclass(frozen=True, slots=True)
class Action:
    """What the guard reads: who may send this event, and which operation it stands for."""

    permission: Permission | Literal["own"] | None
    public: bool
    operation: str | None
    without_factor: bool = False
    #: Also for people of suppliers, who may use the portal and look after their own account.
    everybody: bool = False


def action(
    what: Operation[..., Any] | Permission | Literal["own"] | None = None,
    *,
    public: bool = False,
    without_factor: bool = False,
    everybody: bool = False,
) -> Callable[[Handler], Handler]:
    """Declare a handler an endpoint: with its operation's permission, a permission, or public.

    Without an argument any of our people who is signed in may send it; `everybody`: also people of suppliers.
    `without_factor`: also one who has to set up a second factor first, whoever that is.
    """
    if isinstance(what, str) or what is None:
        declared = Action(what, public, None, without_factor, everybody or without_factor)
    else:
        spec = what.spec
        declared = Action(
            spec.permission,
            public or spec.public,
            spec.name,
            without_factor or spec.without_factor,
            everybody or without_factor or spec.everybody,
        )

    def decorate(function: Handler) -> Handler:
        if not inspect.iscoroutinefunction(function):
            message = f"{function.__qualname__} must be `async def`: a plain handler blocks everybody"
            raise TypeError(message)
        parameters = list(inspect.signature(function).parameters.values())[1:]
        names = [parameter.name for parameter in parameters]
        optional = {one.name for one in parameters if one.default is not inspect.Parameter.empty}
        submits = _submits(function)
        parsers: dict[str, TypeAdapter[Any]] = {}

        @functools.wraps(function)
        async def handler(self: Any, *args: Any, **payload: Any) -> Any:
            try:
                if not parsers:
                    hints = get_type_hints(function, include_extras=True)
                    parsers.update((name, TypeAdapter(hints[name])) for name in names)
                arguments = _parse(parsers, optional, args, payload)
                result = await function(self, **arguments)
            except AppError as error:
                return _refused(self, error)
            return _settled(self, result) if submits else result

        del handler.__wrapped__
        # Reflex would convert by annotation, log the value when it cannot, and call us anyway.
        handler.__annotations__ = dict.fromkeys(names, Any)
        handler.__signature__ = inspect.Signature(  # pyright: ignore[reportAttributeAccessIssue]  # how inspect wants it
            [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in ("self", *names)]
        )
        # The guard reads it. Same call, other annotations.
        setattr(handler, DECLARED, declared)
        return cast("Handler", handler)

    return decorate


def own_permission(state: type[rx.State], permission: Permission) -> None:
    """Say which permission the handlers need that a State has from a mixin, where they were declared `OWN`."""
    for handler in state.event_handlers.values():
        declared = getattr(handler.fn, DECLARED, None)
        if declared is not None and declared.permission == OWN:
            # Reflex has copied the function for this State.
            setattr(handler.fn, DECLARED, replace(declared, permission=permission))


def _parse(
    parsers: dict[str, TypeAdapter[Any]],
    optional: set[str],
    args: tuple[Any, ...],
    payload: dict[str, Any],
) -> dict[str, Any]:
    given = dict(zip(parsers, args, strict=False)) | payload
    if len(args) > len(parsers) or given.keys() - parsers.keys():
        message = "This page is out of date. Reload it."
        raise Invalid(message)
    if missing := parsers.keys() - given.keys() - optional:
        raise Invalid(fields=dict.fromkeys(missing, _SENTENCES["missing"]))
    fields: dict[str, str] = {}
    arguments: dict[str, Any] = {}
    for name, value in given.items():
        try:
            arguments[name] = parsers[name].validate_python(value)
        except ValidationError as error:
            fields |= _field_errors(name, error)
    if fields:
        raise Invalid(fields=fields)
    return arguments


def _field_errors(parameter: str, error: ValidationError) -> dict[str, str]:
    """Say beside each field what is wrong, without repeating what was sent; what has no fields is one by itself."""
    fields: dict[str, str] = {}
    for fault in error.errors(include_url=False, include_input=False):
        at = fault["loc"][:1]
        name = at[0] if at and isinstance(at[0], str) else parameter
        sentence = _SENTENCES.get(fault["type"])
        if fault["type"] == "value_error" and "ctx" in fault:
            # Our own words, see `_storable`.
            fields[name] = str(fault["ctx"]["error"])
            continue
        fields[name] = (sentence or "This cannot be used.").format(**fault.get("ctx", {}))
    return fields


def _submits(function: Callable[..., Any]) -> bool:
    """Whether a handler takes what a form or a button sends once, and so ends its turn.

    What is asked meanwhile - a preview while one types, a selection - must not free a button that waits for its answer.
    """
    parameters = inspect.signature(function).parameters
    kinds = [parameter.annotation for parameter in parameters.values() if isinstance(parameter.annotation, type)]
    return bool({"idempotency_key", "form"} & parameters.keys()) or any(issubclass(kind, Payload) for kind in kinds)


def _settled(state: Any, result: Any) -> Any:
    """End the turn: the browser frees the buttons that are busy."""
    if getattr(type(state), "_form_state", False):
        state.turn += 1
    return result


def _refused(state: Any, error: AppError) -> Any:
    """Put the sentences beside the fields and into a toast; the form stays as it was filled."""
    is_form = getattr(type(state), "_form_state", False)
    if is_form:
        state.errors = error.fields
        state.turn += 1
    actor = event_actor()
    if isinstance(error, (NotSignedIn, AccountDisabled)) and actor and actor.token_hash:
        people.forget(actor.token_hash)
    if is_form and error.fields and str(error) == Invalid.sentence:
        # Every sentence stands beside its field; a toast would only cover the form.
        return None
    if isinstance(error, InvalidRows):
        listed = "; ".join(f"row {row}: {sentence}" for row, _, sentence in error.rows[:5])
        more = f" and {len(error.rows) - 5} more" if len(error.rows) > 5 else ""  # noqa: PLR2004  # as listed
        return [_toast.error(f"{error} {listed}{more}", duration=20_000)]
    url = state.router.url
    events = refusal_events(f"{url.path or '/'}?{url.query}" if url.query else url.path or "/", error)
    if isinstance(error, (Stale, AlreadyDecided)) and (load := getattr(type(state), "load", None)):
        # What the page shows is what misled the person.
        events.append(load)
    return events
