"""An order as a PDF that can be sent: drawn from `OrderPaper`, the same bytes for the same order.

The fonts are embedded, so that it looks and prints alike everywhere: Inter for what it has, DejaVu Sans for Greek,
Cyrillic, Hebrew, Arabic and signs.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from inventory_app.operations._order_paper import OrderPaper, PrintedLine

if TYPE_CHECKING:
    from fpdf import FPDF

_FONTS = Path(__file__).parent / "fonts"
_MARGIN = 18
_GREY, _BLACK, _RED = (96, 100, 108), (28, 32, 36), (179, 36, 43)
_WIDTHS = (8, 64, 24, 24, 20, 18, 22)
_HEADS = ("", "What", "Your SKU", "Quantity", "Unit cost", "Expected", "Amount")
_ALIGNED = ("RIGHT", "LEFT", "LEFT", "RIGHT", "RIGHT", "RIGHT", "RIGHT")

# It tells of every glyph it looks for and of every table it leaves out of a font.
logging.getLogger("fontTools").setLevel(logging.ERROR)


def draw(paper: OrderPaper) -> bytes:
    """Return the PDF of an order."""
    from fpdf import FPDF  # noqa: PLC0415  # only where somebody asks for it
    from fpdf.enums import XPos, YPos  # noqa: PLC0415  # as above

    class Sheet(FPDF):
        """A page with its number below."""

        def footer(self) -> None:
            """Say which page of how many this is, and of which order."""
            self.set_y(-14)
            self.set_font("inter", size=8)
            self.set_text_color(*_GREY)
            self.cell(0, 5, f"{paper.number} · page {self.page_no()} of {{nb}}", align="R")

    pdf = Sheet(format="A4")
    pdf.set_creation_date(paper.made)
    pdf.set_title(f"Order {paper.number}")
    pdf.set_author(paper.company)
    pdf.set_lang("en")
    pdf.add_font("inter", "", _FONTS / "inter-Regular.ttf")
    pdf.add_font("inter", "B", _FONTS / "inter-SemiBold.ttf")
    pdf.add_font("others", "", _FONTS / "dejavu-sans.ttf")
    pdf.add_font("others", "B", _FONTS / "dejavu-sans.ttf")
    pdf.set_fallback_fonts(["others"], exact_match=False)
    pdf.set_margin(_MARGIN)
    pdf.set_auto_page_break(auto=True, margin=20)
    pdf.add_page()

    def line(text: str, size: float = 9, style: str = "", color: tuple[int, int, int] = _BLACK) -> None:
        pdf.set_font("inter", style, size)
        pdf.set_text_color(*color)
        pdf.multi_cell(0, size * 0.5, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    line(paper.company, color=_GREY)
    pdf.ln(2)
    line(f"Purchase order {paper.number}", 18, "B")
    if paper.cancelled:
        line("Cancelled: do not deliver.", 11, "B", _RED)
    pdf.ln(5)
    _both(pdf, paper)
    if paper.message:
        line(paper.message)
        pdf.ln(4)
    _lines(pdf, paper.lines)
    pdf.ln(3)
    for label, amount in paper.sums:
        pdf.set_font("inter", "B" if label == "Total" else "", 10)
        pdf.cell(pdf.epw - 40, 6, label, align="R")
        pdf.cell(40, 6, amount, align="R", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    return bytes(pdf.output())


def _both(pdf: "FPDF", paper: OrderPaper) -> None:
    """Put the supplier to the left and what was agreed to the right."""
    top, half = pdf.get_y(), pdf.epw / 2
    for number, text in enumerate(paper.supplier):
        pdf.set_font("inter", "" if number else "B", 10)
        pdf.set_text_color(*_BLACK)
        pdf.multi_cell(half - 6, 5, text, new_x="LMARGIN", new_y="NEXT")
    left = pdf.get_y()
    pdf.set_y(top)
    for label, text in paper.facts:
        pdf.set_x(pdf.l_margin + half)
        pdf.set_font("inter", "", 9)
        pdf.set_text_color(*_GREY)
        pdf.cell(28, 5, label)
        pdf.set_text_color(*_BLACK)
        pdf.multi_cell(half - 28, 5, text, new_x="LMARGIN", new_y="NEXT")
    pdf.set_y(max(left, pdf.get_y()) + 6)


def _lines(pdf: "FPDF", lines: tuple[PrintedLine, ...]) -> None:
    from fpdf.fonts import FontFace  # noqa: PLC0415  # as above

    pdf.set_font("inter", "", 8.5)
    pdf.set_draw_color(217, 217, 224)
    head = FontFace(emphasis="BOLD", color=_GREY)
    with pdf.table(
        col_widths=_WIDTHS,
        text_align=_ALIGNED,
        borders_layout="HORIZONTAL_LINES",
        headings_style=head,
        line_height=4.6,
        padding=1.2,
    ) as table:
        table.row(_HEADS)
        for one in lines:
            quantity = f"{one.quantity}\n{one.packs}" if one.packs else one.quantity
            table.row((one.number, one.what, one.theirs, quantity, one.unit_cost, one.expected, one.amount))
