"""Real mail servers for the tests: one that sends (SMTP) and a mailbox (IMAP), each in a process of its own."""

import email
import imaplib
import json
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from lib.settings import ROOT


@dataclass(frozen=True)
class Smtp:
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def lines(self) -> list[dict[str, object]]:
        if not self.log.exists():
            return []
        return [json.loads(line) for line in self.log.read_text("utf-8").splitlines()]

    def raw(self) -> list[bytes]:
        return [str(line["data"]).encode("latin-1") for line in self.lines()]

    def mails(self) -> list[EmailMessage]:
        return [email.message_from_bytes(raw, policy=default) for raw in self.raw()]


@contextmanager
def smtp_server(folder: Path, *, pause: float = 0.5) -> Iterator[Smtp]:
    log = folder / "smtp.jsonl"
    command = [sys.executable, "-W", "ignore", "-m", "tests.smtp_server", str(log), str(pause)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield Smtp(int(process.stdout.readline()), log)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@dataclass(frozen=True)
class Imap:
    port: int

    @property
    def url(self) -> str:
        return f"imap://shop:secret%40pass@127.0.0.1:{self.port}/INBOX"

    @contextmanager
    def box(self) -> Iterator[imaplib.IMAP4]:
        box = imaplib.IMAP4("127.0.0.1", self.port, timeout=20)
        box.login("shop", "secret@pass")
        try:
            yield box
        finally:
            box.logout()

    def put(self, raw: bytes, *, at: datetime | None = None, folder: str = "INBOX") -> None:
        with self.box() as box:
            stamp = imaplib.Time2Internaldate(at) if at else None
            kind, said = box.append(folder, "", stamp, raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
            assert kind == "OK", said

    def flags(self) -> list[bytes]:
        with self.box() as box:
            box.select("INBOX", readonly=True)
            _, found = box.fetch("1:*", "(FLAGS)")
            return [part for part in found if isinstance(part, bytes)]


@contextmanager
def imap_server() -> Iterator[Imap]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    pymap = Path(sys.executable).parent / "pymap"
    services = ["--no-service", "managesieve", "--no-service", "admin"]
    command = [str(pymap), "--host", "127.0.0.1", "--port", str(port), "--no-tls", *services]
    command += ["dict", "--demo-user", "shop", "--demo-password", "secret@pass"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    try:
        for _ in range(150):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if process.poll() is not None:
                    raise AssertionError(process.stderr.read().decode()) from None
                time.sleep(0.2)
        yield Imap(port)
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def self_signed(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that nobody vouches for, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    begins = datetime.now(UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "self_signed.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(certificate.public_bytes(Encoding.PEM) + private)
    return file


@contextmanager
def behind_tls(port: int, certificate: Path) -> Iterator[int]:
    """A port that speaks TLS with a certificate, and passes on to one that does not; once, for one caller."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def pass_on(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)

    def serve(listener: socket.socket) -> None:
        with suppress(OSError):
            plain, _ = listener.accept()
            with (
                plain,
                context.wrap_socket(plain, server_side=True) as caller,
                socket.create_connection(("127.0.0.1", port)) as inner,
            ):
                back = threading.Thread(target=pass_on, args=(inner, caller))
                back.start()
                pass_on(caller, inner)
                back.join()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        yield int(listener.getsockname()[1])
        thread.join()
