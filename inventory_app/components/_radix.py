"""The Radix primitives the kit wraps; only dialogs.py imports them.

Primitives and not Radix Themes: Themes brings 80 KB of gzipped JavaScript and 84 KB
of CSS to every page, whatever the page uses of it.
"""

import reflex as rx
from reflex_base.constants.compiler import MemoizationMode
from reflex_base.event import no_args_event_spec, passthrough_event_spec

_WHOLE = MemoizationMode(recursive=False)


class _DialogPart(rx.Component):
    library = "@radix-ui/react-dialog@1.3.1"


class DialogRoot(_DialogPart):
    """Holds whether the dialog is open."""

    tag = "Root"
    alias = "DialogRoot"
    open: rx.Var[bool]
    on_open_change: rx.EventHandler[passthrough_event_spec(bool)]


class DialogPortal(_DialogPart):
    """Puts the dialog at the end of the document."""

    tag = "Portal"
    alias = "DialogPortal"


class DialogOverlay(_DialogPart):
    """Dims what is behind."""

    tag = "Overlay"
    alias = "DialogOverlay"


class DialogContent(_DialogPart):
    """The box; keeps focus inside and closes on Esc."""

    tag = "Content"
    alias = "DialogContent"
    role: rx.Var[str]
    on_interact_outside: rx.EventHandler[no_args_event_spec]
    on_open_auto_focus: rx.EventHandler[no_args_event_spec]


class DialogTitle(_DialogPart):
    """Names the dialog to screen readers too."""

    tag = "Title"
    alias = "DialogTitle"


class DialogDescription(_DialogPart):
    """Says below the title which thing it is about."""

    tag = "Description"
    alias = "DialogDescription"
    as_child: rx.Var[bool]


class DialogClose(_DialogPart):
    """Closes the dialog when its child is pressed."""

    tag = "Close"
    alias = "DialogClose"
    as_child: rx.Var[bool]
    _memoization_mode = _WHOLE


class _MenuPart(rx.Component):
    library = "@radix-ui/react-dropdown-menu@2.2.1"


class MenuRoot(_MenuPart):
    """Holds whether the menu is open."""

    tag = "Root"
    alias = "MenuRoot"
    modal: rx.Var[bool]


class MenuTrigger(_MenuPart):
    """Opens the menu when its child is pressed."""

    tag = "Trigger"
    alias = "MenuTrigger"
    as_child: rx.Var[bool]
    _memoization_mode = _WHOLE


class MenuPortal(_MenuPart):
    """Puts the menu at the end of the document."""

    tag = "Portal"
    alias = "MenuPortal"


class MenuContent(_MenuPart):
    """The list; arrow keys, typing and Esc work in it."""

    tag = "Content"
    alias = "MenuContent"
    align: rx.Var[str]
    side_offset: rx.Var[int]
    collision_padding: rx.Var[int]


class MenuItem(_MenuPart):
    """One thing to do."""

    tag = "Item"
    alias = "MenuItem"
    as_child: rx.Var[bool]
    disabled: rx.Var[bool]
    on_select: rx.EventHandler[no_args_event_spec]


class MenuSeparator(_MenuPart):
    """A line between groups."""

    tag = "Separator"
    alias = "MenuSeparator"
