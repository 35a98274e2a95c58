"""A real SMTP server for the tests, in a process of its own; what it accepts it writes down, one JSON line each.

How it behaves depends on the recipient: ``nobody@`` is refused for good, ``busy@`` for now, ``slow@`` is accepted
only after a while, ``gone@`` is written down and then the line is cut without an answer.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP


class Keeper:
    def __init__(self, log: Path, pause: float) -> None:
        self._log = log
        self._pause = pause

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        if address.startswith("nobody@"):
            return "550 5.1.1 No such user here"
        if address.startswith("busy@"):
            return "451 4.7.1 Greylisted, come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:
        if envelope.rcpt_tos[0].startswith("slow@"):
            await asyncio.sleep(self._pause)
        line = {"from": envelope.mail_from, "to": envelope.rcpt_tos, "data": envelope.content.decode("latin-1")}
        with self._log.open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
        if envelope.rcpt_tos[0].startswith("gone@"):
            server.transport.abort()
        return "250 Kept"


async def main(log: Path, pause: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(Keeper(log, pause), enable_SMTPUTF8=True, hostname="mail.test"), "127.0.0.1", 0
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), float(sys.argv[2])))
