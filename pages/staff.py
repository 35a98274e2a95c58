"""Staff: who works here, and what they may do."""

from lib.staff import May
from lib.ui.access import open_desk
from lib.ui.staff import draw_invite, draw_people, draw_roles

desk = open_desk(May.MANAGE_STAFF)

draw_invite(desk)
draw_people(desk)
draw_roles()
