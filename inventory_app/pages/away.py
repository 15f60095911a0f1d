"""While I am away: let somebody decide in one's place, and see who does for whom."""

import reflex as rx

from inventory_app.components import feedback, forms, layout
from inventory_app.components.basics import button, when
from inventory_app.operations.delegations import DelegationRow
from inventory_app.pages._page import page
from inventory_app.states.away import PATH, AwayState, Box

S = AwayState


@page(PATH, "While I am away", on_load=[S.load], crumbs=("You",))
def away() -> rx.Component:
    """Show the form, and everything that is lent to or by the person."""
    return rx.fragment(
        layout.page_head(
            "While I am away",
            sub="Somebody else decides in your place. It is on record as theirs for you, and counts as yours.",
        ),
        rx.cond(
            S.loading,
            layout.page_skeleton(),
            layout.columns(
                layout.column(_list("Who stands in for whom", S.rows, _nobody()), _others()),
                layout.column(rx.cond(S.boxes.length() > 0, _form(), _nothing_to_lend())),
            ),
        ),
    )


def _form() -> rx.Component:
    def box(one: rx.Var[Box]) -> rx.Component:
        line = rx.el.label(
            rx.el.input(type="checkbox", name=one.field, default_checked=True, class_name="check"),
            rx.el.span(one.label),
            class_name="check-line",
        )
        return rx.el.li(line, key=one.field)

    wrong = forms.problem(S.errors, "permissions")
    may = rx.el.fieldset(
        rx.el.legend("They may", class_name="field-label"), rx.el.ul(rx.foreach(S.boxes, box), class_name="stack-s")
    )
    colleagues = rx.el.datalist(
        rx.foreach(S.suggestions, lambda pair: rx.el.option(value=pair[0], label=pair[1], key=pair[0])),
        custom_attrs={"id": "colleagues"},
    )
    return layout.card(
        forms.form(
            forms.field(
                "Deputy",
                forms.text_input(
                    "deputy",
                    auto_complete="off",
                    on_change=S.look_up.debounce(250),
                    custom_attrs={"list": "colleagues"},
                    required=True,
                ),
                error=forms.problem(S.errors, "deputy"),
                hint="Their user name; a part of the name finds them.",
            ),
            colleagues,
            may,
            rx.cond(wrong, feedback.callout(wrong, tone="bad"), rx.fragment()),
            forms.fields_row(
                forms.field(
                    "First day",
                    forms.text_input("first_day", type="date", value=S.today, required=True),
                    error=forms.problem(S.errors, "first_day"),
                ),
                forms.field(
                    "Last day",
                    forms.text_input("last_day", type="date", required=True),
                    error=forms.problem(S.errors, "last_day"),
                    hint="At most 90 days. Days begin at midnight, " + S.zone + ".",
                ),
            ),
            forms.field(
                "Reason",
                forms.textarea("reason", rows=2, max_length=1_000),
                error=forms.problem(S.errors, "reason"),
                optional=True,
            ),
            forms.form_footer(forms.submit("Let them decide")),
            # What was done is emptied: the key is a new one then.
            key=S.idempotency_key,
            on_submit=S.delegate,
            turn=S.turn,
            idempotency_key=S.idempotency_key,
        ),
        title="Choose a deputy",
    )


def _nothing_to_lend() -> rx.Component:
    return layout.card(
        rx.el.p(
            "Nothing you may do needs a deputy. Only decisions can be lent, and only those that a role of your own "
            "lets you make.",
            class_name="meta",
        ),
        title="Choose a deputy",
    )


def _nobody() -> rx.Component:
    return rx.el.p("Nobody stands in for you, and you stand in for nobody.", class_name="card-body muted")


def _others() -> rx.Component:
    listed = _list("In the whole company", S.others, rx.fragment())
    return rx.cond(S.others.length() > 0, listed, rx.fragment())


def _list(title: str, rows: rx.Var[list[DelegationRow]], empty: rx.Component) -> rx.Component:
    return layout.card(
        rx.cond(rows.length() > 0, layout.rows(rx.foreach(rows, _line)), empty),
        title=title,
        flush=True,
        custom_attrs={"data-turn": S.turn},
    )


def _line(row: rx.Var[DelegationRow]) -> rx.Component:
    state = rx.match(
        row.state,
        ("in force", feedback.badge("In force", tone="accent")),
        ("coming", feedback.badge("Coming")),
        ("revoked", feedback.quiet_badge("Ended early", dot="bad")),
        feedback.quiet_badge("Ended", dot="ok"),
    )
    end = rx.cond(
        row.revocable,
        button(
            "End it",
            size="s",
            once=True,
            aria_label="End it: " + row.deputy + " for " + row.absent,
            on_click=S.revoke(row.id, S.idempotency_key + "-" + row.id.to_string()),
        ),
        rx.fragment(),
    )
    return layout.row_item(
        rx.fragment(rx.el.bdi(row.deputy), " for ", rx.el.bdi(row.absent)),
        rx.fragment(
            row.permission,
            ", from ",
            when(row.starts_at, row.starts_at, style="full"),
            " until ",
            when(row.ends_at, row.ends_at, style="full"),
            rx.cond(row.reason, rx.fragment(": ", rx.el.bdi(row.reason)), ""),
        ),
        end=rx.el.div(state, end, class_name="row-x"),
        key=row.id,
    )
