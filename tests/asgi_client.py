"""A client that asks an app of routes directly, without a server: each request in a loop of its own."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx


class AppClient:
    """Asks one app at one address, following no redirects."""

    def __init__(self, app: Any, base_url: str) -> None:
        self._app = app
        self._base_url = base_url

    def request(self, method: str, url: str, **given: Any) -> httpx.Response:
        """What the app answers."""

        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url=self._base_url) as client:
                return await client.request(method, url, **given)

        # In a thread, for a loop of the browser's may run in this one.
        with ThreadPoolExecutor(max_workers=1) as thread:
            return thread.submit(lambda: asyncio.run(asked())).result()

    def get(self, url: str, **given: Any) -> httpx.Response:
        """What the app answers to a GET."""
        return self.request("GET", url, **given)

    def post(self, url: str, **given: Any) -> httpx.Response:
        """What the app answers to a POST."""
        return self.request("POST", url, **given)
