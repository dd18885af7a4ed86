"""Which operation a request path names.

Production paths begin with ``/ams/api``, sandbox paths with ``/ams/sandbox/api``; the Alipay+ family
has ``/aps/api`` and no sandbox form. The SDKs rewrite the path by the client id, some product pages
do not, so both prefixes are taken for every path and the client id alone decides what is sandbox.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PRODUCTION: Final = "/ams/api"
SANDBOX: Final = "/ams/sandbox/api"
ALIPAY_PLUS: Final = "/aps/api"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the catalogue. `name` is its path without prefix and version: ``payments/pay``."""

    family: str
    name: str

    @property
    def key(self) -> str:
        """The operation in one word: its name, behind ``aps/`` in the Alipay+ family."""
        return self.name if self.family == "ams" else f"{self.family}/{self.name}"


#: Group below /v1 -> operations. SDK 1.7.1 path constants and request classes; docs.antom.com.
_AMS: Final = {
    "payments": (
        "pay inquiryPayment cancel refund inquiryRefund capture consult createPaymentSession "
        "verifyAndCompletePayment updateAmount createMandate syncArrear createDeviceCertificate "
        "uploadInvoiceShippingFile inquireExchangeRate fetchNonce getCardInfo inquireInstallment "
        "acceptDispute supplyDefenseDocument downloadDisputeEvidence supplyEvidence settle"
    ),
    "payments/reserve": (
        "createRule updateRule cancelRule inquireRuleList createHold updateHold inquireHoldList "
        "createRelease inquireRelease"
    ),
    "authorizations": "consult applyToken revoke query",
    "vaults": (
        "createVaultingSession vaultPaymentMethod inquireVaulting fetchNonce "
        "inquireToken updateToken deleteToken"
    ),
    "customs": "declare inquiryDeclarationRequests",
    "merchants": (
        "register settlementInfo/update registration inquiryRegistrationInfo inquiryRegistrationStatus"
    ),
    "accounts": "inquireBalance",
    "funds": "createPayout createTransfer",
    "subscriptions": (
        "create change cancel update inquiry inquireSubscription inquireSubscriptionList "
        "inquireSubscriptionPayment"
    ),
    "notification": "inquireNotification inquireNotificationList",
    "risk/payments": "decide reportRisk sendPaymentResult sendRefundResult",
    "aba/account": "inquireAvailableQuota",
    "aba/accounts": "inquiryBalance inquiryStatement inquiryStatementDetail inquiryStatementList",
    "aba/cards": (
        "applyCard inquireCard inquireCardDetail inquireCardSensitiveInfo inquireCardTransactionEvent "
        "inquireCardTransactionLifecycle inquireCardTransactionLifecycleDetail updateCard updateCardStatus"
    ),
    "aba/funds": (
        "createDirectPayment createDirectRefund createExchange createQuote inquireDirectPayment "
        "inquireDirectRefund inquireExchange inquireRate"
    ),
    "agenticPayment": (
        "createAuthenticationSession createBindingSession inquireAccountInfo inquirePaymentToken"
    ),
    "billing/coupon": "create inquireDetails inquireList update",
    "billing/creditNote": "create inquireDetails inquireList void",
    "billing/customer": "create createPortalLink delete inquireDetails inquireList update",
    "billing/invoice": (
        "confirmPayment create createViewLink export finalize inquireDetails inquireList "
        "markUncollectible revise send update void"
    ),
    "billing/price": "create inquireDetails inquireList update",
    "billing/product": "create inquireDetails inquireList update uploadImage",
    "billing/promotionCode": "create inquireDetails inquireList update",
    "billing/receipt": "export inquireDetails inquireList send",
    "billing/subscription": "cancel create inquireDetails inquireList resume update",
    "meter": "create createSession inquireDetails inquireList update uploadEvent",
    "meter/creditGrant": "create inquireDetails inquireList updateExpiry void",
    "tax": (
        "calculate cancelRegistration initializeSettings inquireCalculation inquireRegistrationList "
        "inquireSettings inquireTransactionList register updateRegistrationPeriod updateSettings"
    ),
}

_APS: Final = {
    "payments": "pay inquiryPayment cancelPayment refund userInitiatedPay getPaymentCode",
    "disputes": "responseRetrieval responseEscalation",
    "customs": "declare inquireDeclarationRequests",
}

#: Paths that follow no rule. The double slash is on the wire, and in the signature.
_ODD: Final = {
    "//v1/payments/retrievePaymentSession": "payments/retrievePaymentSession",
    "/open/openapiv2_file/v1/business/attachment/submitAttachment": "business/attachment/submitAttachment",
}


def _catalogue() -> dict[str, Operation]:
    found: dict[str, Operation] = {}
    for prefix in (PRODUCTION, SANDBOX):
        for group, names in _AMS.items():
            for name in names.split():
                found[f"{prefix}/v1/{group}/{name}"] = Operation("ams", f"{group}/{name}")
        for path, name in _ODD.items():
            found[prefix + path] = Operation("ams", name)
    for group, names in _APS.items():
        for name in names.split():
            found[f"{ALIPAY_PLUS}/v1/{group}/{name}"] = Operation("aps", f"{group}/{name}")
    return found


CATALOGUE: Final[dict[str, Operation]] = _catalogue()


def operation_of(path: str) -> Operation | None:
    """The operation of a path in any of its prefixes, or None when the catalogue has no such path."""
    return CATALOGUE.get(path)


def is_sandbox(path: str) -> bool:
    """Whether a path is the sandbox's. It says nothing of the client, but API keys are for one side only."""
    return path.startswith(SANDBOX + "/")


def path_of_target(target: str) -> str:
    """The path of a request target: origin form (``/ams/…``) or absolute form (``https://host/ams/…``).

    The query is not part of it. Nothing is decoded: these are the characters that were signed.
    """
    head = target[:8].lower()
    if head.startswith(("http://", "https://")):
        _, slash, rest = target.partition("//")[2].partition("/")
        target = slash + rest if slash else "/"
    return target.partition("?")[0].partition("#")[0]


def signed_paths(path: str) -> tuple[str, ...]:
    """What the caller may have signed: the path as received, or with a leading ``//`` collapsed.

    A gateway address that ends in a slash makes SDKs send ``//ams/…``; they differ in what they sign.
    An inner double slash stays. The last candidate is the likelier one.
    """
    if path.startswith("//"):
        return path, "/" + path.lstrip("/")
    return (path,)
