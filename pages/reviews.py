"""Reviews: answer what customers wrote, the unhappy first."""

from lib.staff import May
from lib.ui.access import open_desk
from lib.ui.reviews import draw_reviews

desk = open_desk(May.SEE_QUEUE)
draw_reviews(desk.store)
