"""Audit: who did what, and when."""

from lib.staff import May
from lib.ui.access import open_desk
from lib.ui.audit import draw_chain, draw_entries

desk = open_desk(May.SEE_AUDIT)

draw_chain()
draw_entries(desk)
