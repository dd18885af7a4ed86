"""consult, applyToken, revoke, query: agreements to pay without being asked each time.

Codes and tokens come in and go out here and are in no command, record or log: the engine knows their SHA-256.
"""

from __future__ import annotations

from typing import Final

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import AgreementState, AgreementView
from comptoir.flows import wire
from comptoir.flows.agreements import auth_code, consent_address, digest, new_consent_code, token_pair
from comptoir.flows.api import OK, ApplyToken, OpenAgreement, RevokeToken
from comptoir.gateway.call import Call
from comptoir.gateway.operations.account import check_account
from comptoir.gateway.operations.services import Services, wallet_refusal
from comptoir.gateway.results import outcome_result
from comptoir.kernel.ids import new_id
from comptoir.standards.antom.messages import (
    ApplyTokenRequest,
    ApplyTokenResponse,
    AuthCodeForm,
    AuthConsultRequest,
    AuthConsultResponse,
    Codec,
    CodeDetail,
    GrantType,
    PspCustomerInfo,
    QueryTokenRequest,
    QueryTokenResponse,
    Result,
    RevokeRequest,
    RevokeResponse,
    Scope,
)
from comptoir.standards.antom.results import ResultCode
from comptoir.wallet.api import OWN_ISSUER

_CONSULT: Final = Codec(AuthConsultRequest)
_APPLY: Final = Codec(ApplyTokenRequest)
_REVOKE: Final = Codec(RevokeRequest)
_QUERY: Final = Codec(QueryTokenRequest)

#: What a merchant may be allowed here: to debit, and to know a returning customer.
_SCOPES: Final = frozenset({Scope.AGREEMENT_PAY, Scope.BASE_USER_INFO})


async def consult(services: Services, call: Call) -> AuthConsultResponse:
    """Put up a consent page. Raises ParamIllegal, and what the engine raises."""
    request = _CONSULT.decode(call.body)
    await check_account(services, call, request.merchant_account_id)
    refusal = wallet_refusal(request.customer_belongs_to, "customerBelongsTo") or _not_allowed(request)
    if refusal is not None:
        return AuthConsultResponse(result=refusal)
    code = new_consent_code()
    outcome = await services.submit(
        OpenAgreement(
            id=new_id(),
            merchant_id=call.client.merchant_id,
            client_ref=call.client.client_ref,
            consent_code=code,
            grant_hash=digest(auth_code(code)),
            state_ref=request.auth_state,
            method_type=request.customer_belongs_to,
            redirect_url=request.auth_redirect_url,
            sandbox=call.client.sandbox,
            notify_url=request.auth_notify_url or call.client.notify_url,
            auth_client_ref=request.auth_client_id or None,
        )
    )
    if outcome.code != OK:
        return AuthConsultResponse(result=outcome_result(outcome))
    address = consent_address(services.public_url, code)
    detail = CodeDetail(code_value=address, display_type="TEXT", code_value_type="QRCODE")
    return AuthConsultResponse(
        result=outcome_result(outcome),
        normal_url=address,
        auth_code_form=AuthCodeForm(code_details=[detail]),
    )


def _not_allowed(request: AuthConsultRequest) -> Result | None:
    other = [one.value for one in request.wanted if one not in _SCOPES]
    if other:
        return Result.of(ResultCode.BUSINESS_NOT_SUPPORT, f"scopes: {', '.join(other)} is not open here")
    if Scope.AGREEMENT_PAY not in request.wanted:
        return Result.of(ResultCode.BUSINESS_NOT_SUPPORT, "scopes must hold AGREEMENT_PAY")
    return None


async def apply_token(services: Services, call: Call) -> ApplyTokenResponse:
    """Exchange a grant for tokens. Raises ParamIllegal, and what the engine raises."""
    request = _APPLY.decode(call.body)
    await check_account(services, call, request.merchant_account_id)
    refusal = wallet_refusal(request.customer_belongs_to, "customerBelongsTo")
    if refusal is not None:
        return ApplyTokenResponse(result=refusal)
    refresh = request.grant_type is GrantType.REFRESH_TOKEN
    grant = digest((request.refresh_token if refresh else request.auth_code) or "")
    tokens = token_pair(grant, refresh=refresh)
    outcome = await services.submit(
        ApplyToken(
            merchant_id=call.client.merchant_id,
            refresh=refresh,
            grant_hash=grant,
            access_hash=digest(tokens.access),
            refresh_hash=digest(tokens.refresh),
        )
    )
    agreement = outcome.agreement
    if outcome.code != OK or agreement is None:
        return ApplyTokenResponse(result=outcome_result(outcome))
    return ApplyTokenResponse(
        result=outcome_result(outcome),
        access_token=tokens.access,
        access_token_expiry_time=wire.time_of(agreement.access_expires_at),
        refresh_token=tokens.refresh,
        refresh_token_expiry_time=wire.time_of(agreement.refresh_expires_at),
        psp_customer_info=PspCustomerInfo(psp_name=OWN_ISSUER, psp_customer_id=agreement.customer_ref),
    )


async def revoke(services: Services, call: Call) -> RevokeResponse:
    """End an agreement. Raises ParamIllegal, and what the engine raises."""
    request = _REVOKE.decode(call.body)
    await check_account(services, call, request.merchant_account_id)
    command = RevokeToken(merchant_id=call.client.merchant_id, access_hash=digest(request.access_token))
    return RevokeResponse(result=outcome_result(await services.submit(command)))


async def query(services: Services, call: Call) -> QueryTokenResponse:
    """How a token of the caller's merchant stands. Raises ParamIllegal."""
    request = _QUERY.decode(call.body)
    statement = acquiring.agreements_by_access([(call.client.merchant_id, digest(request.access_token))])
    found = acquiring.decode_agreements((await services.read([statement]))[0])
    if not found:
        return QueryTokenResponse(result=Result.of(ResultCode.INVALID_ACCESS_TOKEN))
    return QueryTokenResponse(
        result=Result.of(ResultCode.SUCCESS),
        access_token=request.access_token,
        access_token_expiry_time=wire.time_of(found[0].access_expires_at),
        refresh_token_expiry_time=wire.time_of(found[0].refresh_expires_at),
        token_status_type=_status(found[0], call),
    )


def _status(agreement: AgreementView, call: Call) -> str:
    if agreement.state is not AgreementState.ACTIVE:
        return "REVOKED"
    return "EXPIRED" if acquiring.rules.access_refusal(agreement, call.now) else "ACTIVE"
