"""authorizations/consult, applyToken, revoke, query: requests and responses, and notifyAuthorization.

Tokens and codes are secrets: no message that holds one prints it.
"""

from __future__ import annotations

from enum import Enum
from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from comptoir.standards.antom.messages.payments import check_url
from comptoir.standards.antom.messages.shared import CodeDetail, PspCustomerInfo, Result
from comptoir.standards.antom.messages.wire import (
    Max64,
    Max128,
    Max2048,
    Message,
    Text64,
    Text256,
    WrongMember,
)

Text128 = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Text1024 = Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]


class Scope(Enum):
    """What a merchant may be allowed."""

    BASE_USER_INFO = "BASE_USER_INFO"
    AGREEMENT_PAY = "AGREEMENT_PAY"
    USER_INFO = "USER_INFO"
    USER_LOGIN_ID = "USER_LOGIN_ID"
    HASH_LOGIN_ID = "HASH_LOGIN_ID"
    SEND_OTP = "SEND_OTP"
    TAOBAO_REBIND = "TAOBAO_REBIND"


class GrantType(Enum):
    """What tokens are applied for with."""

    AUTHORIZATION_CODE = "AUTHORIZATION_CODE"
    REFRESH_TOKEN = "REFRESH_TOKEN"  # noqa: S105 - a kind, not a secret


class TerminalType(Enum):
    """Where the buyer is."""

    WEB = "WEB"
    WAP = "WAP"
    APP = "APP"
    MINI_APP = "MINI_APP"


class AuthConsultRequest(Message, frozen=True):
    """Ask a buyer's leave. The documentation has a list of scopes, the Python SDK also sends a single one."""

    customer_belongs_to: Text64
    auth_redirect_url: Text1024
    scopes: list[Scope] | Scope
    auth_state: Text256
    terminal_type: TerminalType
    auth_client_id: Max64 | None = None
    auth_notify_url: Max2048 | None = None
    merchant_account_id: Max64 | None = None

    def __post_init__(self) -> None:
        check_page(self.auth_redirect_url, "authRedirectUrl")
        check_url(self.auth_notify_url, "authNotifyUrl")
        if isinstance(self.scopes, list) and not 1 <= len(self.scopes) <= 4:
            raise WrongMember("scopes", "must be 1 to 4 scopes")

    @property
    def wanted(self) -> list[Scope]:
        """The scopes, however they came."""
        return self.scopes if isinstance(self.scopes, list) else [self.scopes]


def check_page(url: str, member: str) -> None:
    """Refuse an address that a browser could not be sent to, or that hides where it leads."""
    check_url(url, member)
    try:
        parts = urlsplit(url)
        odd = not parts.hostname or parts.username is not None or parts.password is not None
    except ValueError:
        odd = True
    if odd or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise WrongMember(member, "must be the address of a page, without user name, in ASCII")


class AuthCodeForm(Message, frozen=True):
    """The address of the consent page as a code for the wallet to scan."""

    code_details: list[CodeDetail]


class AuthConsultResponse(Message, frozen=True):
    """S: send the buyer to `normal_url`, or show the code."""

    result: Result
    normal_url: str | None = None
    auth_code_form: AuthCodeForm | None = None


class ApplyTokenRequest(Message, frozen=True):
    """Exchange a code, or a refresh token, for tokens."""

    grant_type: GrantType
    customer_belongs_to: Text64
    auth_code: Max128 | None = None
    refresh_token: Max128 | None = None
    merchant_account_id: Max64 | None = None

    def __post_init__(self) -> None:
        code = self.grant_type is GrantType.AUTHORIZATION_CODE
        if code and not self.auth_code:
            raise WrongMember("authCode", "is missing")
        if not code and not self.refresh_token:
            raise WrongMember("refreshToken", "is missing")

    def __repr__(self) -> str:
        return f"ApplyTokenRequest({self.grant_type.value}, …)"


class ApplyTokenResponse(Message, frozen=True):
    """S: the tokens."""

    result: Result
    access_token: str | None = None
    access_token_expiry_time: str | None = None
    refresh_token: str | None = None
    refresh_token_expiry_time: str | None = None
    psp_customer_info: PspCustomerInfo | None = None

    def __repr__(self) -> str:
        return f"ApplyTokenResponse({self.result!r}, …)"


class RevokeRequest(Message, frozen=True):
    """End what the token allows."""

    access_token: Text128
    merchant_account_id: Max64 | None = None

    def __repr__(self) -> str:
        return "RevokeRequest(…)"


class RevokeResponse(Message, frozen=True):
    """S again, however often it is repeated."""

    result: Result


class QueryTokenRequest(Message, frozen=True):
    """Ask how a token stands."""

    access_token: Text128

    def __repr__(self) -> str:
        return "QueryTokenRequest(…)"


class QueryTokenResponse(Message, frozen=True):
    """`token_status_type`: ACTIVE, EXPIRED or REVOKED. The values are not in the public documentation."""

    result: Result
    access_token: str | None = None
    access_token_expiry_time: str | None = None
    refresh_token_expiry_time: str | None = None
    token_status_type: str | None = None

    def __repr__(self) -> str:
        return f"QueryTokenResponse({self.result!r}, …)"


class AuthorizationNotification(Message, frozen=True):
    """notifyAuthorization. Only what succeeded is told (docs.antom.com, "notifyAuthorization")."""

    authorization_notify_type: str
    result: Result
    auth_state: str
    auth_client_id: str | None = None
    access_token: str | None = None
    reason: str | None = None
    user_id: str | None = None

    def __repr__(self) -> str:
        return f"AuthorizationNotification({self.authorization_notify_type}, …)"
