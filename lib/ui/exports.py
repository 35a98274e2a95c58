"""Files that were written for somebody, handed over from the disk piece by piece: they may be large."""

from anyio import to_thread
from sqlalchemy.exc import DBAPIError
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from lib.db.tables.columns import now
from lib.errors import EncoreError
from lib.jobs.audience_files import written_file
from lib.settings import settings
from lib.staff import May
from lib.ui.visit import cookies_of, staff_of, token_in


def routes() -> list[BaseRoute]:
    """One address per file; it serves only who had it written, and only while she may download."""
    return [Route("/exports/{token}", _export, methods=["GET"])]


async def _export(request: Request) -> Response:
    def find() -> Response:
        client = request.client
        session = token_in(cookies_of(request.scope), host=request.url.hostname or "")
        staff = staff_of(session, at=now(), address=client.host if client else None)
        staff.must(May.EXPORT)
        path = written_file(settings(), request.path_params["token"], staff)
        if path is None:
            return PlainTextResponse("This file is gone: files are kept for a day. Write it again.", 404)
        return FileResponse(
            path, media_type="text/csv; charset=utf-8", filename=path.name, headers={"cache-control": "no-store"}
        )

    try:
        return await to_thread.run_sync(find)
    except EncoreError as refused:
        return PlainTextResponse(str(refused), 403)
    except DBAPIError:
        return PlainTextResponse("The order database cannot be read now.", 503)
