"""The provider of single sign-on (OpenID Connect, authorization code with PKCE): asked over HTTPS, believed on proof.

Nothing here touches the database, and nothing of what the provider or a library says reaches a person: what goes wrong
is `ProviderAway` (try later) or `NotProven` (refused; `why` is ours, for the trail).
"""

import asyncio
import json
import ssl
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import structlog
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry
from joserfc.jwt import JWTClaimsRegistry

from inventory_app.buckets import Bucket
from inventory_app.errors import AppError, Denied
from inventory_app.settings import Settings, get_settings, is_safe_address

log = structlog.get_logger(__name__)

#: Signatures by a key that only the provider has. `none` and those by our shared secret are not among them.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
#: For each question to the provider, from the first byte to the last.
SECONDS = 8.0
#: How far the provider's clock may be from ours.
LEEWAY_SECONDS = 60
#: How long its addresses and keys are believed; a key we do not know is looked up at once, but not more often than so.
_KEPT_SECONDS = 3_600.0
_KEYS_AGAIN_SECONDS, _KEYS_AT_ONCE = 30.0, 2
#: How old a message that somebody has signed out there may be: providers send it at once, and again for minutes.
_SIGN_OUT_SECONDS = 600
_SIGN_OUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
_SIGN_OUT_TYPES = ("logout+jwt", "application/logout+jwt", "jwt")
_LARGEST = 1024 * 1024
_LONGEST_SUBJECT = 255
_LONGEST_TOKEN = 16 * 1024
_NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")
#: What a token endpoint may say about a code, in the words of RFC 6749.
_REFUSED = ("invalid_grant", "invalid_request", "invalid_scope", "unsupported_grant_type")
_OK, _SERVER_ERROR = 200, 500


class ProviderAway(AppError):
    """The provider does not answer, or not as one does."""

    sentence = "Single sign-on does not answer right now. Use another way to sign in, or try again in a moment."


class NotProven(Denied):
    """What came back proves nobody's identity; `why` is for the trail."""

    sentence = "Single sign-on did not prove who you are. Start again; if it happens again, tell an administrator."

    def __init__(self, why: str) -> None:
        """Say to the trail what was wrong."""
        super().__init__()
        self.why = why


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody whom the provider has just recognised."""

    issuer: str
    subject: str
    username: str
    full_name: str
    email: str
    #: The provider says that the address is not, or not yet, known to be theirs.
    email_unverified: bool
    #: None: the provider left them out and says so, there were too many.
    groups: tuple[str, ...] | None
    strong: bool
    #: When they last proved themselves there, in seconds; 0: it does not say.
    proved_at: int
    #: What it calls their session there; empty when it does not say.
    session: str = ""


@dataclass(frozen=True, slots=True)
class SignedOut:
    """Somebody who has signed out at the provider: `subject`, in the session it calls `session`; one may be empty."""

    issuer: str
    subject: str
    session: str
    #: What the provider calls this message: it counts once.
    id: str


class Provider:
    """The provider of the settings, with what it has told about itself."""

    def __init__(self, settings: Settings) -> None:
        """Ask nothing yet."""
        self._issuer, self._client_id = settings.oidc_issuer or "", settings.oidc_client_id or ""
        self._secret = settings.oidc_client_secret
        self._settings = settings
        self._about: dict[str, Any] = {}
        self._about_until = 0.0
        self._keys: KeySet | None = None
        self._keys_at = 0.0
        self._again = Bucket(1 / _KEYS_AGAIN_SECONDS, _KEYS_AT_ONCE)
        self._asking = asyncio.Lock()

    async def address(self, *, state: str, nonce: str, verifier: str, anew: bool = False) -> str:
        """Return where to send the browser; `anew`: even who is signed in there must prove themselves again."""
        about = await self._metadata()
        asked = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._settings.oidc_redirect_uri,
            "scope": self._settings.oidc_scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": create_s256_code_challenge(verifier),
            "code_challenge_method": "S256",
        } | ({"prompt": "login", "max_age": "0"} if anew else {})
        endpoint = about["authorization_endpoint"]
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"

    async def is_mine(self, issuer: str | None) -> bool:
        """Tell whether an answer that names `issuer`, or none, is this provider's (RFC 9207)."""
        about = await self._metadata()
        if issuer is None:
            return not about.get("authorization_response_iss_parameter_supported")
        return issuer == self._issuer

    async def identity(self, *, code: str, nonce: str, verifier: str) -> Identity:
        """Exchange a code for who it stands for; raises `NotProven` unless everything fits."""
        about = await self._metadata()
        given = await self._exchange(about, code, verifier)
        token, access = given.get("id_token"), given.get("access_token")
        if not isinstance(token, str) or not isinstance(access, str):
            raise NotProven("the provider sent no ID token")
        claims = await self._proven(about, token, access, nonce)
        more = await self._userinfo(about, access, claims["sub"]) if self._lacks_something(claims) else {}
        # What is signed counts.
        return self._known(more | claims)

    async def signed_out(self, token: str) -> SignedOut:
        """Return who has signed out at the provider (OpenID Connect Back-Channel Logout 1.0); raises `NotProven`."""
        if not token or len(token) > _LONGEST_TOKEN:
            raise NotProven("the logout token is none")
        about = await self._metadata()
        rules = JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._client_id},
            iat={"essential": True},
            exp={"essential": True},
            jti={"essential": True},
        )
        try:
            read = await self._signed(about, token)
            rules.validate(read.claims)
        except JoseError as error:
            raise NotProven(f"the logout token: {error.error} {_claim(error)}".rstrip()) from error
        except (ValueError, TypeError) as error:
            raise NotProven("the logout token cannot be read") from error
        claims, kind = read.claims, str(read.header.get("typ") or "jwt").lower()
        events = claims.get("events")
        event = events.get(_SIGN_OUT_EVENT) if isinstance(events, dict) else None
        subject, session = claims.get("sub", ""), claims.get("sid", "")
        named = all(isinstance(name, str) and len(name) <= _LONGEST_SUBJECT for name in (subject, session))
        # An ID token has a nonce and no event: none of them is taken for the other.
        if kind not in _SIGN_OUT_TYPES or not isinstance(event, dict) or "nonce" in claims:
            raise NotProven("the logout token is no such token")
        if claims["iat"] < time.time() - _SIGN_OUT_SECONDS:
            raise NotProven("the logout token is too old")
        if not named or not (subject or session):
            raise NotProven("the logout token names nobody")
        return SignedOut(self._issuer, subject, session, claims["jti"])

    async def _metadata(self) -> dict[str, Any]:
        """Return what the provider says about itself, asked once an hour."""
        if self._about_until <= time.monotonic():
            found = await self._ask("GET", f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
            wrong = [name for name in _NEEDED if not is_safe_address(str(found.get(name, "")).partition("?")[0])]
            if found.get("issuer") != self._issuer or wrong:
                what = "issuer" if found.get("issuer") != self._issuer else wrong[0]
                log.error("single_sign_on_misconfigured", wrong=what)
                raise ProviderAway
            self._about, self._about_until = found, time.monotonic() + _KEPT_SECONDS
        return self._about

    async def _exchange(self, about: dict[str, Any], code: str, verifier: str) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._settings.oidc_redirect_uri,
            "code_verifier": verifier,
        }
        how: dict[str, Any] = {}
        methods = about.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if self._secret is None:
            form["client_id"] = self._client_id
        elif "client_secret_basic" in methods:
            how["auth"] = httpx.BasicAuth(quote(self._client_id, safe=""), quote(self._secret, safe=""))
        else:
            form |= {"client_id": self._client_id, "client_secret": self._secret}
        return await self._ask("POST", about["token_endpoint"], data=form, **how)

    async def _proven(self, about: dict[str, Any], token: str, access: str, nonce: str) -> dict[str, Any]:
        """Return the claims of an ID token whose signature, issuer, audience, times and nonce are right."""
        try:
            read = await self._signed(about, token)
            claims = CodeIDToken(
                read.claims,
                read.header,
                options={
                    "iss": {"essential": True, "value": self._issuer},
                    "aud": {"essential": True, "value": self._client_id},
                    "sub": {"essential": True},
                    "exp": {"essential": True},
                    "iat": {"essential": True},
                    "nonce": {"essential": True, "value": nonce},
                },
                params={"nonce": nonce, "client_id": self._client_id, "access_token": access},
            )
            claims.validate(leeway=LEEWAY_SECONDS)
        except JoseError as error:
            # `error.error` is a word of the library's own, "bad_signature" say; `claim` a name, never a value.
            raise NotProven(f"the ID token: {error.error} {_claim(error)}".rstrip()) from error
        except (ValueError, TypeError) as error:
            raise NotProven("the ID token cannot be read") from error
        if not isinstance(claims["sub"], str) or len(claims["sub"]) > _LONGEST_SUBJECT:
            raise NotProven("the ID token: its subject is none")
        return dict(claims)

    async def _signed(self, about: dict[str, Any], token: str) -> jwt.Token:
        """Return a token signed by one of the provider's keys, which it may have exchanged since we asked for them."""
        keys = self._keys
        if keys is None or time.monotonic() - self._keys_at > _KEPT_SECONDS:
            keys = await self._asked_keys(about)
        registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
        try:
            return jwt.decode(token, keys, registry=registry)
        except (BadSignatureError, InvalidKeyIdError):
            async with self._asking:
                if self._keys is keys:
                    # Anybody can send a key's name: what is asked for their sake is bounded.
                    if not self._again.take():
                        raise
                    await self._asked_keys(about)
            return jwt.decode(token, self._keys or keys, registry=registry)

    async def _asked_keys(self, about: dict[str, Any]) -> KeySet:
        found: Any = await self._ask("GET", about["jwks_uri"])
        try:
            keys = KeySet.import_key_set(found)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            log.exception("single_sign_on_misconfigured", wrong="jwks_uri")
            raise ProviderAway from error
        self._keys, self._keys_at = keys, time.monotonic()
        return keys

    def _lacks_something(self, claims: dict[str, Any]) -> bool:
        wanted = [self._settings.oidc_groups_claim] if self._settings.oidc_roles else []
        wanted += ["name", "email"] if self._settings.oidc_create != "no" else []
        return any(name not in claims for name in wanted)

    async def _userinfo(self, about: dict[str, Any], access: str, subject: str) -> dict[str, Any]:
        endpoint = str(about.get("userinfo_endpoint", ""))
        if not is_safe_address(endpoint):
            return {}
        found = await self._ask("GET", endpoint, headers={"Authorization": f"Bearer {access}"})
        if found.get("sub") != subject:
            raise NotProven("the user info is about somebody else")
        return found

    def _known(self, claims: dict[str, Any]) -> Identity:
        amr = claims.get("amr")
        methods = {
            part for part in (*(amr if isinstance(amr, list) else []), claims.get("acr")) if isinstance(part, str)
        }
        proved_at = claims.get("auth_time")
        return Identity(
            issuer=self._issuer,
            subject=claims["sub"],
            username=_text(claims.get("preferred_username")),
            full_name=_text(claims.get("name")),
            email=_text(claims.get("email")),
            email_unverified=claims.get("email_verified") is False,
            groups=self._groups(claims),
            strong=bool(methods & self._settings.strong_methods),
            proved_at=int(proved_at) if isinstance(proved_at, int | float) else 0,
            session=_text(claims.get("sid"))[:_LONGEST_SUBJECT],
        )

    def _groups(self, claims: dict[str, Any]) -> tuple[str, ...] | None:
        """Return the groups; none at all is how many providers say that there are none."""
        name = self._settings.oidc_groups_claim
        found = claims.get(name, [])
        if name not in claims and name in (claims.get("_claim_names") or {}):
            return None
        listed = [found] if isinstance(found, str) else found
        return tuple(group for group in listed if isinstance(group, str)) if isinstance(listed, list) else ()

    async def _ask(self, method: str, url: str, **how: Any) -> dict[str, Any]:
        """Send a question and return the JSON object that answers it, within bounds of time and size."""
        try:
            async with (
                asyncio.timeout(SECONDS),
                httpx.AsyncClient(verify=_tls(), timeout=SECONDS, follow_redirects=False) as client,
                client.stream(method, url, **how) as answer,
            ):
                body = bytearray()
                async for part in answer.aiter_bytes():
                    body += part
                    if len(body) > _LARGEST:
                        raise httpx.DecodingError("more than it may say")
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
            log.warning("single_sign_on_away", error_type=type(error).__name__)
            raise ProviderAway from error
        try:
            found = json.loads(body)
        except ValueError:
            found = None
        if answer.status_code == _OK and isinstance(found, dict):
            return found
        said = found.get("error") if isinstance(found, dict) else None
        if method == "POST" and answer.status_code < _SERVER_ERROR and said in _REFUSED:
            raise NotProven(f"the provider refused the code: {said}")
        log.error("single_sign_on_refused", status=answer.status_code, said=said if said == "invalid_client" else None)
        raise ProviderAway


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _claim(error: JoseError) -> str:
    claim = getattr(error, "claim", "")
    return claim if isinstance(claim, str) else ""


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    # Reading the certificates takes longer than a request.
    return httpx.create_ssl_context()


@lru_cache(maxsize=1)
def provider() -> Provider | None:
    """Return the provider of single sign-on; None when none is configured."""
    settings = get_settings()
    return Provider(settings) if settings.oidc_issuer else None
