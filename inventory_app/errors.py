"""What can go wrong in the trade's own words: every expected refusal is a class here.

An `AppError` owns the sentence the person reads; it says what is there, what was
asked and what to do. No library's text ever takes its place. `outcome` is what
the audit trail records for the attempt, `fields` puts a sentence beside a form field.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar


class AppError(Exception):
    """An expected refusal; `str(error)` is the sentence for the person."""

    outcome: ClassVar[str] = "failed"
    log_level: ClassVar[str] = "warning"
    sentence: ClassVar[str] = "That is not possible."

    def __init__(self, sentence: str | None = None, *, fields: Mapping[str, str] | None = None) -> None:
        """Carry `sentence` (default: the class's own) and sentences by form field."""
        super().__init__(sentence or self.sentence)
        self.fields = dict(fields or {})

    @property
    def detail(self) -> str:
        """What goes on record: the sentence, and those beside the fields where it says no more than that."""
        if str(self) != Invalid.sentence:
            return str(self)
        return "; ".join(f"{name}: {sentence}" for name, sentence in self.fields.items()) or str(self)


class Denied(AppError):
    """The person may not do this: recorded in the trail as `denied`."""

    outcome = "denied"


class NotSignedIn(Denied):
    """There is no live session behind the request."""

    sentence = "Your session has ended. Sign in again."


class AccountDisabled(Denied):
    """The account exists, but nobody may act with it."""

    sentence = "Your account is disabled. Ask an administrator."


class AccountWaiting(AccountDisabled):
    """The account is new, and an administrator has not let the person in yet: nothing went wrong."""

    sentence = "Your account waits for an administrator to let you in. There is nothing more for you to do."


class PasswordChangeRequired(Denied):
    """The password was given by somebody else and must be replaced first."""

    sentence = "Choose your own password first."


class SecondFactorRequired(Denied):
    """A role of the person may only be used after signing in with a second factor."""

    sentence = "Your role needs a second factor. Set one up, or sign in with it."


class FreshProofRequired(Denied):
    """The operation is sensitive, and the person has not proved lately that it is still them."""

    sentence = "Confirm that it is you, then do it again."


class NotAllowed(Denied):
    """The permission is missing, or a rule about who may do what to whom forbids it."""

    sentence = "You do not have the permission for this. Ask an administrator."


class TooManyAttempts(Denied):
    """Somebody tries too often from one place."""

    sentence = "Too many attempts. Wait a few minutes and try again."


class Invalid(AppError):
    """What was entered cannot be used; `fields` says what is wrong where."""

    sentence = "Please check the marked fields."


class WrongAmount(Invalid):
    """An amount that cannot be: what says so names amounts, and those are not for everybody who reads the trail."""

    def __init__(self, kept: str, sentence: str) -> None:
        """Carry what goes on record beside the sentence for the person."""
        super().__init__(sentence, fields={"amount": sentence})
        self._kept = kept

    @property
    def detail(self) -> str:
        """What goes on record: without amounts."""
        return self._kept


class NotFound(AppError):
    """The record does not exist, or no longer."""

    sentence = "That record does not exist (any more). Reload the page."


class Conflict(AppError):
    """The change contradicts another record; the sentence names which rule."""

    sentence = "That contradicts another record. Reload the page and try again."


class Stale(Conflict):
    """Somebody else changed the record since it was read."""

    sentence = "Somebody else changed this in the meantime. Reload the page and try again."


class KeyReused(Conflict):
    """An idempotency key came back with other data."""

    sentence = "This form was already sent with other values. Reload the page and try again."


class AlreadyDecided(Conflict):
    """Somebody has decided this before."""


class PeriodClosed(AppError):
    """Something is booked with a date in a period that is closed."""

    sentence = "The books are closed for that day. Give a later day, or ask for the period to be opened again."

    def __init__(self, sentence: str | None = None) -> None:
        """Say it beside the date: nothing else about the form is wrong."""
        super().__init__(sentence, fields={"occurred_at": sentence or self.sentence})


class TooFine(AppError):
    """A quantity is finer than its unit is counted since a moment ago."""

    sentence = "Its unit is not counted that finely any more. Reload the page and enter a coarser quantity."

    def __init__(self, sentence: str | None = None) -> None:
        """Say it beside the quantity."""
        super().__init__(sentence, fields={"quantity": sentence or self.sentence})


class InsufficientStock(AppError):
    """More was asked than is available."""


class InvalidRows(AppError):
    """A batch is refused as a whole; `rows` lists every fault as (row, field, sentence)."""

    def __init__(self, sentence: str, rows: Sequence[tuple[int, str, str]]) -> None:
        """Carry every fault of the batch, so that all can be mended at once."""
        super().__init__(sentence)
        self.rows = tuple(rows)

    @property
    def detail(self) -> str:
        """The sentence and the first faults."""
        listed = "; ".join(f"row {row}, {field}: {sentence}" for row, field, sentence in self.rows[:20])
        return f"{self} {listed}"


class Busy(AppError):
    """Somebody else holds the record for longer than we wait."""

    sentence = "Somebody else is changing this right now. Try again in a moment."


class TooSlow(AppError):
    """The database stopped a statement that took too long."""

    log_level = "error"
    sentence = "That took too long and was stopped; nothing has changed. Try a smaller selection."


class DatabaseUnavailable(AppError):
    """The database does not answer; whether it did the work is checked before this is raised."""

    log_level = "error"
    sentence = "The database cannot be reached. Nothing was changed; try again in a moment."
