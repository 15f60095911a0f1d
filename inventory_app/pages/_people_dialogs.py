"""The dialogs about people: inviting, correcting, one-time links, roles of one and of many, shutting out, erasing."""

import reflex as rx

from inventory_app.components import dialogs, feedback, forms, gates
from inventory_app.components.basics import button, stack, when
from inventory_app.permissions import Permission
from inventory_app.states._people_rows import RoleBox
from inventory_app.states.accounts import AccountsState
from inventory_app.states.bulk_roles import BulkRolesState, ChangeLine
from inventory_app.states.users import UserMgmtState

S = UserMgmtState
A = AccountsState
B = BulkRolesState


def about_one() -> rx.Component:
    """Put every dialog about one person over a page."""
    return rx.fragment(
        gates.can(Permission.USERS_ASSIGN_ROLES, _roles()),
        gates.can(Permission.USERS_MANAGE, _edit(), _new_link(), _withdraw(), _disable(), _erase(), link_dialog()),
    )


def about_many() -> rx.Component:
    """Put the dialogs over the list that are not about one of its rows."""
    return rx.fragment(gates.can(Permission.USERS_MANAGE, _invite()), gates.can(Permission.USERS_ASSIGN_ROLES, _bulk()))


def _boxes(boxes: rx.Var[list[RoleBox]], *, ticking: bool = False) -> rx.Component:
    def box(role: rx.Var[RoleBox]) -> rx.Component:
        tick = {"on_change": lambda _: B.tick(role.name)} if ticking else {}
        return rx.el.li(
            forms.choice(
                role.field,
                role.name,
                rx.cond(role.description, role.description + " · " + role.size, role.size),
                checked=role.held,
                why_not=role.why_not,
                **tick,
            ),
            key=role.field,
        )

    return rx.el.fieldset(
        rx.el.legend("Roles", class_name="field-label"), rx.el.ul(rx.foreach(boxes, box), class_name="choices")
    )


def _refused(sentence: rx.Var[str]) -> rx.Component:
    return rx.cond(sentence, feedback.callout(sentence, tone="bad"), rx.fragment())


def _reason(errors: rx.Var[dict[str, str]], key: rx.Var[str], *, hint: str, optional: bool = False) -> rx.Component:
    return forms.field(
        "Why",
        forms.textarea("reason", key=key, rows=2, max_length=500),
        error=forms.problem(errors, "reason"),
        hint=hint,
        optional=optional,
    )


def _invite() -> rx.Component:
    roles = rx.cond(
        A.boxes.length() > 0,
        rx.fragment(
            _boxes(A.boxes),
            rx.el.p("With none of them they become an employee, who may change stock.", class_name="meta"),
        ),
        feedback.callout("They become an employee; somebody who may give roles can add to that."),
    )
    return dialogs.dialog(
        forms.fields_row(
            forms.field(
                "Full name",
                forms.text_input("full_name", auto_complete="off", max_length=200, auto_focus=True),
                error=forms.problem(A.errors, "full_name"),
            ),
            forms.field(
                "Username",
                forms.text_input("username", auto_complete="off", auto_capitalize="none", max_length=40),
                error=forms.problem(A.errors, "username"),
            ),
        ),
        forms.field(
            "E-mail",
            forms.text_input("email", type="email", auto_complete="off", max_length=254),
            error=forms.problem(A.errors, "email"),
        ),
        roles,
        _refused(forms.problem(A.errors, "roles")),
        open=A.dialog == "invite",
        on_open_change=A.close,
        title="Invite somebody",
        sub="They choose their password by a link that works once. You get the link to hand over.",
        status="Nobody is invited yet.",
        primary=forms.submit("Invite"),
        on_submit=A.invite,
        turn=A.turn,
        idempotency_key=A.idempotency_key,
    )


def link_dialog() -> rx.Component:
    """Show a link once, to be copied: closing the dialog forgets it."""
    mailed = rx.cond(
        A.mailed_to,
        feedback.callout(rx.el.bdi(A.mailed_to), title="Mailed to", tone="ok"),
        rx.cond(
            A.not_sent,
            feedback.callout(A.not_sent, title="Not mailed.", tone="warn"),
            feedback.callout(
                "No mail server is set up here: hand the link over yourself, to nobody but them.", icon_name="info"
            ),
        ),
    )
    copy = button(
        "Copy the link",
        icon_name="copy",
        tone="solid",
        on_click=[rx.set_clipboard(A.link), rx.toast.success("Copied the link")],
    )
    return dialogs.dialog(
        mailed,
        forms.field(
            "The link",
            forms.shown("f-link", A.link),
            hint=rx.fragment(
                "Works once, for ",
                A.link_hours.to_string(),
                " hours: until ",
                when(A.link_ends, A.link_ends, style="full"),
                ". Links made before work no more. It is shown only now.",
            ),
        ),
        open=A.dialog == "link",
        on_open_change=A.close,
        title=rx.cond(A.link_for == "invite", "Invited ", "A new password for ") + A.link_name,
        sub=rx.cond(
            A.link_for == "invite",
            "Whoever opens the link chooses the password of this account and is let in.",
            "The old password does not work any more. Whoever opens the link chooses the new one.",
        ),
        primary=copy,
        cancel="Done",
    )


# No `auto_focus` in what a menu opens: it would come before the dialog watches the keyboard, which the menu, closing,
# then takes back to its button.
def _edit() -> rx.Component:
    key = A.person.id.to_string() + "-" + A.person.version.to_string()
    return dialogs.dialog(
        forms.hidden_input("user_id", A.person.id.to_string()),
        forms.hidden_input("version", A.person.version.to_string()),
        forms.field(
            "Full name",
            forms.text_input(
                "full_name",
                value=A.person.full_name,
                key=key + "n",
                auto_complete="off",
                max_length=200,
            ),
            error=forms.problem(A.errors, "full_name"),
        ),
        forms.field(
            "E-mail",
            forms.text_input(
                "email", value=A.person.email, key=key + "e", type="email", auto_complete="off", max_length=254
            ),
            error=forms.problem(A.errors, "email"),
        ),
        open=A.dialog == "edit",
        on_open_change=A.close,
        title="Edit " + A.person.name,
        sub=rx.fragment("The username stays: ", rx.el.strong(A.person.username)),
        primary=forms.submit("Save"),
        on_submit=A.edit,
        turn=A.turn,
        idempotency_key=A.idempotency_key,
        size="s",
    )


def _new_link() -> rx.Component:
    invited = A.person.status == "invited"
    return dialogs.dialog(
        forms.hidden_input("user_id", A.person.id.to_string()),
        rx.cond(
            invited,
            rx.fragment(),
            feedback.callout("Their password stops working and they are signed out everywhere, at once.", tone="warn"),
        ),
        _reason(
            A.errors, A.idempotency_key, hint="Make sure that it is really them who asks. Kept in the audit trail."
        ),
        open=A.dialog == "new link",
        on_open_change=A.close,
        title=rx.cond(invited, "Send the invitation again", "New password link"),
        sub=rx.fragment(rx.el.strong(A.person.name), " · ", A.person.email),
        status=rx.cond(invited, "The link from before stops working.", ""),
        primary=forms.submit("Make the link"),
        on_submit=A.make_link,
        turn=A.turn,
        idempotency_key=A.idempotency_key,
        size="s",
    )


def _withdraw() -> rx.Component:
    return dialogs.confirm(
        open=A.dialog == "withdraw",
        on_open_change=A.close,
        title="Withdraw the invitation of " + A.person.name + "?",
        text="The link stops working. The account stays, and you can send a new invitation.",
        action="Withdraw the invitation",
        keep="Keep it",
        on_confirm=A.withdraw(A.person.id, A.idempotency_key),
        turn=A.turn,
    )


def _roles() -> rx.Component:
    return dialogs.dialog(
        forms.hidden_input("user_id", S.person.id.to_string()),
        forms.hidden_input("version", S.person.version.to_string()),
        _boxes(S.boxes),
        _refused(forms.problem(S.errors, "roles")),
        open=S.dialog == "roles",
        on_open_change=S.close,
        title="Change roles",
        sub=rx.fragment(rx.el.strong(S.person.name), " · ", S.person.username),
        status="What they may do changes at once.",
        primary=forms.submit("Save the roles"),
        on_submit=S.set_roles,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
    )


def _mode(value: str, label: str) -> rx.Component:
    radio = rx.el.input(
        type="radio",
        name="mode",
        value=value,
        checked=B.mode == value,
        on_change=lambda _: B.choose_mode(value),
        class_name="check",
    )
    return rx.el.label(radio, rx.el.span(label), class_name="check-line")


def _change_line(change: rx.Var[ChangeLine]) -> rx.Component:
    then = rx.cond(
        change.changes,
        feedback.diff_pair(change.before, change.after),
        rx.el.span(change.before, class_name="dim"),
    )
    return rx.el.li(
        rx.el.span(rx.el.bdi(change.name), class_name="strong"),
        then,
        rx.cond(change.fault, rx.el.span(change.fault, class_name="bulk-fault"), rx.fragment()),
        key=change.user_id,
    )


def _bulk() -> rx.Component:
    forbidden = rx.fragment(
        feedback.callout(
            rx.cond(B.forbidden == 1, "One of them ", B.forbidden.to_string() + " of them "),
            "cannot be changed like this, so nobody would be.",
            tone="warn",
            action=button("Leave them out", size="s", on_click=B.leave_out),
        ),
    )
    return dialogs.dialog(
        forms.hidden_input("people", B.people),
        rx.el.fieldset(
            rx.el.legend("What to do", class_name="sr"),
            stack(
                _mode("add", "Add these roles to what they have"),
                _mode("remove", "Take these roles away"),
                _mode("replace", "Leave them these roles and no others"),
                tight=True,
            ),
        ),
        _boxes(B.boxes, ticking=True),
        _refused(forms.problem(B.errors, "roles")),
        rx.el.section(
            rx.cond(B.forbidden > 0, forbidden, rx.fragment()),
            rx.el.ul(rx.foreach(B.lines, _change_line), class_name="bulk-lines", aria_label="What would change"),
            aria_live="polite",
        ),
        _reason(B.errors, B.idempotency_key, hint="Kept in the audit trail.", optional=True),
        open=B.is_open,
        on_open_change=B.close,
        title=rx.cond(
            B.lines.length() == 1,
            "Change the roles of 1 person",
            "Change the roles of " + B.lines.length().to_string() + " people",
        ),
        sub="All of it is done, or nothing.",
        status=rx.cond(
            B.forbidden > 0,
            "Nothing is changed yet.",
            rx.cond(B.changing == 1, "1 person would change.", B.changing.to_string() + " people would change."),
        ),
        primary=forms.submit("Change the roles", disabled=(B.changing == 0) | (B.forbidden > 0)),
        on_submit=B.apply,
        turn=B.turn,
        idempotency_key=B.idempotency_key,
    )


def _disable() -> rx.Component:
    return dialogs.confirm(
        open=S.dialog == "disable",
        on_open_change=S.close,
        title="Disable " + S.person.name + "?",
        text=(
            "They are signed out everywhere at once and cannot sign in until somebody lets them in again. "
            "What they have done stays on record."
        ),
        action="Disable the account",
        on_confirm=S.deactivate_user(S.person.id, S.idempotency_key),
        keep="Keep the account",
        turn=S.turn,
    )


def _erase() -> rx.Component:
    """Ask for the reason: it is what stays on record in place of the data."""
    return dialogs.dialog(
        forms.hidden_input("user_id", S.person.id.to_string()),
        feedback.callout(
            "Name, e-mail and picture go, here and in the audit trail, and cannot be brought back. What they did stays "
            "on record under their username, as does that you erased this and why. Older backups still hold the data.",
            title="This cannot be undone.",
            tone="warn",
        ),
        forms.field(
            "Reason",
            forms.textarea("reason", key=S.person.id.to_string(), rows=3, max_length=500),
            aside=rx.el.span("kept on record: name nobody", class_name="aside"),
            error=forms.problem(S.errors, "reason"),
        ),
        open=S.dialog == "erase",
        on_open_change=S.close,
        title="Erase personal data?",
        sub=rx.fragment(rx.el.strong(S.person.name), " · ", S.person.username),
        status="Nothing is erased yet.",
        primary=forms.submit("Erase for good", tone="destroy"),
        on_submit=S.erase_personal_data,
        turn=S.turn,
        idempotency_key=S.idempotency_key,
    )
