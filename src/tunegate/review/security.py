"""What keeps strangers out: headers, the host that may be named, whose session it is, and forged requests.

A session is a random cookie. The token against forged requests (CSRF) is an HMAC of it under a key of this process, so
it fits that session alone; every POST must carry it and come from this site's own pages (Origin).
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from tunegate.errors import UserError
from tunegate.review.people import People

COOKIE, LANGUAGE_COOKIE = "tunegate_session", "tunegate_language"
HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
MOST_SESSIONS = 1_000  # of people; the oldest is forgotten first
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}


class DeniedError(UserError):
    """The request may not do that: status 403."""


@dataclass
class Sessions:
    """Who is logged in. `public_name`: what browsers call the page where a proxy stands before it."""

    people: People
    host: str
    public_name: str = ""
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    known: dict[str, str] = field(default_factory=dict)

    @property
    def needs_login(self) -> bool:
        """Beyond loopback or behind a proxy always; on loopback as soon as anybody has a token."""
        return not is_loopback(self.host) or bool(self.public_name) or bool(self.people.all())

    def person(self, session: str) -> str | None:
        """Whose session it is, as long as that person still has a token."""
        name = self.known.get(session)
        return name if name and any(person.name == name for person in self.people.all()) else None

    def enter(self, token: str) -> tuple[str, str] | None:
        """A fresh session and its person, for a right token. A session from before the login is never taken over."""
        name = self.people.named_by(token)
        if name is None:
            return None
        while len(self.known) >= MOST_SESSIONS:
            del self.known[next(iter(self.known))]
        session = new_session()
        self.known[session] = name
        return session, name

    def leave(self, session: str) -> None:
        self.known.pop(session, None)

    def csrf(self, session: str) -> str:
        return hmac.new(self.secret, session.encode(), hashlib.sha256).hexdigest()

    def check_csrf(self, session: str, given: str) -> None:
        """Raises DeniedError."""
        if not session or not hmac.compare_digest(self.csrf(session).encode(), given.encode()):
            raise DeniedError(
                "This form does not belong to your session (or the server was started anew since).",
                "Go back, load the page again and send it once more.",
            )


def new_session() -> str:
    return secrets.token_urlsafe(32)


def check_host(listening: str, named: str, public_name: str = "") -> None:
    """Raises DeniedError where a page elsewhere got its own name to point here (DNS rebinding).

    Listening on loopback, only names of loopback and the proxy's are right; beyond it names are the network's affair.
    """
    if not is_loopback(listening):
        return
    try:
        name = urlsplit(f"//{named}").hostname or ""
    except ValueError:
        name = ""
    if name not in ("localhost", public_name or "localhost") and not is_loopback(name):
        raise DeniedError("The request names another host than this one.", "Open the address that tunegate printed.")


def check_origin(origin: str | None, host: str) -> None:
    """Raises DeniedError for a form that another site's page sent, and for one that does not say where from."""
    if origin is None or urlsplit(origin).netloc != host or not host:
        raise DeniedError("The request does not come from this site's own pages.", "Send it from the page itself.")


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def check_listening(host: str, people: People, public_name: str = "") -> None:
    """Raises UserError for an address that others can reach while nobody could be told apart, and for no name."""
    try:
        ip_address(host)
    except ValueError:
        raise UserError(f"{host!r} is not an IP address.", "Give one, for example --host 127.0.0.1.") from None
    if public_name and not HOST_NAME.fullmatch(public_name):
        raise UserError(
            f"{public_name!r} is no host's name.", "Give the name alone, in small letters: review.example.org"
        )
    if (public_name or not is_loopback(host)) and not people.all():
        raise UserError(
            f"{public_name or host} can be reached from other machines, and nobody has a token yet.",
            'Give everybody one, `tunegate review people add "Ada Lovelace"`, or leave --host out.',
        )
