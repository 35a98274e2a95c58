"""What-if: what would an offer earn, and how sure is that?"""

from lib.staff import May
from lib.ui.access import open_page
from lib.ui.what_if import draw_offer

page = open_page(May.SEE_FIGURES)
draw_offer(page)
