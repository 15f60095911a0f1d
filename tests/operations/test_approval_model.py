"""The engine under any sequence of asking, deciding, lending and changing, against the promise it makes.

The promise, told without the engine's rules: what was approved has decisions of `required` different people with
different authorities, none of whom had a part or stood in for somebody with a part when they decided.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlmodel import col, select

from inventory_app.context import Actor, acting_as, system_actor
from inventory_app.errors import AppError
from inventory_app.models._base import now
from inventory_app.models.approvals import Approval, ApprovalDecision, ApprovalParty, Delegation, Verdict
from inventory_app.models.users import Permission
from inventory_app.operations import _approvals, approvals
from inventory_app.unit_of_work import open_session, transact
from tests.factories import arrange, person
from tests.operations import trial_approvals as trial

#: Four hold the permission through a role, two can only be deputies.
NAMES = {"ann": "manager", "ben": "manager", "cleo": "manager", "dan": "admin", "eve": "employee", "fay": ""}
people = st.sampled_from(list(NAMES))
subjects = st.integers(1, 2)
#: What ends a request is tried now and then, or none would ever get its decisions.
now_and_then = st.sampled_from([False, False, False, False, True])
mostly_yes = st.sampled_from([Verdict.APPROVE] * 9 + [Verdict.REJECT])
nobody_or_somebody = st.sampled_from([None] * len(NAMES) + list(NAMES))
#: With more of them at once hardly anybody could decide: who stands in for somebody with a part must not.
MOST_LENT = 3


@dataclass
class Seen:
    """What the machine saw itself: who stood in for whom when each decision was made, who held the permission."""

    deputies: dict[tuple[int, int], frozenset[int]] = field(default_factory=dict)
    expected: dict[int, list[str]] = field(default_factory=dict)


class Engine(RuleBasedStateMachine):
    """Everything people can do to requests of the trial kind."""

    actors: ClassVar[dict[str, Actor]] = {}
    #: How many runs there were, and how many of them came to an approval.
    runs: ClassVar[int] = 0
    got_there: ClassVar[int] = 0

    @initialize(who=people, required=st.integers(1, 3), concerned=nobody_or_somebody)
    def begin(self, who: str, required: int, concerned: str | None) -> None:
        """Start with one request and nothing lent."""
        self.seen = Seen()
        #: The subjects with an open request, as the invariant found them after the last step.
        self.open: set[int] = set()
        self.lent: dict[int, tuple[int, int]] = {}

        def clear(session) -> None:
            session.execute(sa.update(Delegation).values(revoked_at=now()))
            open_ones = sa.update(Approval).where(col(Approval.status) == "open")
            session.execute(open_ones.values(status="withdrawn"))

        arrange(clear)
        trial.done.clear()
        with open_session() as session:
            self.first = session.scalar(sa.select(sa.func.coalesce(sa.func.max(Approval.id), 0)))
        self.ask(who, 1, required, concerned)

    def attempt(self, who: str, act: Callable[[], object]) -> bool:
        """Act as somebody; a refusal is an answer like any other."""
        with acting_as(self.actors[who]):
            try:
                act()
            except AppError:
                return False
            return True

    def teardown(self) -> None:
        """Count how far the run came."""
        Engine.runs += 1
        Engine.got_there += any(what == "approved" for what, _ in trial.done)

    @rule(who=people, subject=subjects, required=st.integers(1, 3), concerned=nobody_or_somebody)
    def ask(self, who: str, subject: int, required: int, concerned: str | None) -> None:
        about = self.actors[concerned].id if concerned else None
        self.attempt(who, lambda: transact(trial.ask, subject_id=subject, required=required, concerned=about))

    @rule(who=people, subject=subjects, required=st.integers(1, 3), really=now_and_then)
    def edit(self, who: str, subject: int, required: int, really: bool) -> None:  # noqa: FBT001  # drawn
        if not really:
            return
        me = self.actors[who].id
        self.attempt(who, lambda: transact(trial.ask_anew, subject_id=subject, required=required, edited_by=me))

    @precondition(lambda self: self.open)
    @rule(who=people, verdict=mostly_yes, data=st.data())
    def decide(self, who: str, verdict: Verdict, data) -> None:
        self._decide(who, data.draw(st.sampled_from(sorted(self.open))), verdict)

    @precondition(lambda self: self.open)
    @rule(order=st.permutations(list(NAMES)), data=st.data())
    def everybody_decides(self, order: list[str], data) -> None:
        """All try, one after another, as long as there is something to decide."""
        subject = data.draw(st.sampled_from(sorted(self.open)))
        for who in order:
            if not self._decide(who, subject, data.draw(mostly_yes)):
                return

    def _decide(self, who: str, subject: int, verdict: Verdict) -> bool:
        with open_session() as session:
            found = _approvals.open_about(session, trial.KIND, subject)
        if found is None or found.id is None:
            return False
        self._try(who, found.id, verdict)
        return True

    def _try(self, who: str, id_: int, verdict: Verdict) -> None:
        me = self.actors[who].id or 0
        if self.attempt(who, lambda: transact(trial.decide, approval_id=id_, verdict=verdict)):
            self.seen.deputies[id_, me] = frozenset(absent for absent, deputy in self.lent.values() if deputy == me)

    @rule(who=people, subject=subjects, really=now_and_then)
    def withdraw(self, who: str, subject: int, really: bool) -> None:  # noqa: FBT001  # drawn
        if not really:
            return
        with open_session() as session:
            found = _approvals.open_about(session, trial.KIND, subject)
        if found is not None:
            self.attempt(who, lambda: transact(approvals.withdraw, approval_id=found.id or 0))

    @precondition(lambda self: len(self.lent) < MOST_LENT)
    @rule(absent=people, deputy=people)
    def lend(self, absent: str, deputy: str) -> None:
        """Write the row whatever the operation would say: the engine must hold nevertheless, also against chains."""
        if absent == deputy:
            return
        one, other = self.actors[absent].id or 0, self.actors[deputy].id or 0

        def build(session) -> int:
            found = session.exec(select(Permission).where(Permission.name == "suppliers:approve")).one()
            row = Delegation(
                from_user_id=one, to_user_id=other, permission_id=found.id, ends_at=now() + timedelta(days=1)
            )
            row.starts_at = now() - timedelta(days=1)
            session.add(row)
            session.flush()
            return row.id

        self.lent[arrange(build)] = (one, other)

    @precondition(lambda self: self.lent)
    @rule(data=st.data())
    def end_lending(self, data) -> None:
        id_ = data.draw(st.sampled_from(sorted(self.lent)))
        arrange(lambda s: s.execute(sa.update(Delegation).where(col(Delegation.id) == id_).values(revoked_at=now())))
        del self.lent[id_]

    @rule(subject=subjects, really=now_and_then)
    def let_time_pass(self, subject: int, really: bool) -> None:  # noqa: FBT001  # drawn
        if not really:
            return
        over = sa.update(Approval).where(
            col(Approval.subject_id) == subject, col(Approval.status) == "open", col(Approval.kind) == trial.KIND
        )
        arrange(lambda s: s.execute(over.values(expires_at=now() - timedelta(seconds=1))))
        with acting_as(system_actor("jobs")):
            transact(approvals.expire_approvals)

    @invariant()
    def nothing_is_approved_that_not_enough_people_without_a_part_agreed_to(self) -> None:
        if not hasattr(self, "first"):
            return
        with open_session() as session:
            found = session.exec(select(Approval).where(col(Approval.id) > self.first)).all()
            for approval in found:
                decisions = session.exec(
                    select(ApprovalDecision).where(ApprovalDecision.approval_id == approval.id)
                ).all()
                parties = set(
                    session.exec(select(ApprovalParty.user_id).where(ApprovalParty.approval_id == approval.id))
                )
                parties |= {approval.requested_by} - {None}
                self._check(approval, decisions, parties)
            self.open = {one.subject_id for one in found if one.status == "open"}
            approved = [("approved", one.subject_id) for one in found if one.status == "approved"]
            effects = [one for one in trial.done if one[0] == "approved"]
            assert sorted(effects) == sorted(approved)

    def _check(self, approval: Approval, decisions, parties: set[int]) -> None:
        agreed = [one for one in decisions if one.verdict == "approve"]
        people_in_it = [id_ for one in decisions for id_ in {one.user_id, one.authority_id}]
        assert len(people_in_it) == len(set(people_in_it)), "somebody counts twice"
        for one in decisions:
            assert one.user_id not in parties
            assert one.authority_id not in parties
            assert not self.seen.deputies.get((one.approval_id, one.user_id), frozenset()) & parties
            holders = {self.actors[name].id for name, role in NAMES.items() if role in ("manager", "admin")}
            assert one.authority_id in holders
        if approval.status == "approved":
            assert len(agreed) >= approval.required
            assert len(agreed) == len(decisions)
        elif approval.status == "open":
            assert len(agreed) == len(decisions) < approval.required
        elif approval.status == "rejected":
            assert len(decisions) == len(agreed) + 1


def run(database, monkeypatch, examples: int, steps: int) -> None:
    monkeypatch.setitem(_approvals.KINDS, trial.KIND, trial.TRIAL)
    Engine.actors = {name: person(name, *([role] if role else [])) for name, role in NAMES.items()}
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        # The same paths each time: whether they get far enough is checked below.
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    Engine.runs = Engine.got_there = 0
    run_state_machine_as_test(Engine, settings=chosen)
    assert Engine.runs >= examples
    assert Engine.got_there >= Engine.runs / 2, f"only {Engine.got_there} of {Engine.runs} runs came to an approval"


def test_no_path_leads_to_an_approval_that_too_few_or_the_wrong_people_gave(database, monkeypatch):
    run(database, monkeypatch, examples=40, steps=30)


@pytest.mark.long
def test_no_long_path_does_either(database, monkeypatch):
    run(database, monkeypatch, examples=150, steps=60)
