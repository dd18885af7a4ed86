"""An agreement between the scene's traveller and its shop, brought as far as a test needs it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from comptoir.acquiring.api import AgreementView, Product
from comptoir.flows import api as flows
from comptoir.flows.agreements import auth_code, digest, new_consent_code, token_pair
from comptoir.kernel.ids import new_id
from tests.flows.support import CLIENT, NOW, Scene


def asked(scene: Scene, merchant_id: UUID | None = None, **changes: Any) -> flows.OpenAgreement:
    code = new_consent_code()
    given: dict[str, Any] = {
        "id": new_id(),
        "merchant_id": merchant_id or scene.merchant_id,
        "client_ref": CLIENT,
        "consent_code": code,
        "grant_hash": digest(auth_code(code)),
        "state_ref": "customer 7",
        "method_type": "ALIPAY_CN",
        "redirect_url": "https://shop.example/back?lang=zh&authState=forged",
        "notify_url": "http://127.0.0.1:9/n",
    }
    return flows.OpenAgreement(**given | changes)


def approval(scene: Scene, code: str, **limits: int) -> flows.ApproveAgreement:
    return flows.ApproveAgreement(consent_code=code, wallet_id=scene.wallet_id, **limits)


def exchange(merchant_id: UUID, grant: str, *, refresh: bool = False) -> flows.ApplyToken:
    """What the gateway makes of an authorization code or a refresh token."""
    tokens = token_pair(digest(grant), refresh=refresh)
    return flows.ApplyToken(
        merchant_id=merchant_id,
        refresh=refresh,
        grant_hash=digest(grant),
        access_hash=digest(tokens.access),
        refresh_hash=digest(tokens.refresh),
    )


class Agreed:
    """An agreement in force, and its access token."""

    def __init__(self, scene: Scene, now: datetime = NOW, **limits: int) -> None:
        self.scene = scene
        opened = asked(scene)
        self.code = auth_code(opened.consent_code)
        self.tokens = token_pair(digest(self.code), refresh=False)
        outcomes = [
            scene.one(command, now)
            for command in (
                opened,
                approval(scene, opened.consent_code, **limits),
                exchange(scene.merchant_id, self.code),
            )
        ]
        assert [one.code for one in outcomes] == [flows.OK] * 3, outcomes
        assert outcomes[-1].agreement is not None
        self.view: AgreementView = outcomes[-1].agreement

    def pay(self, ref: str, minor: int = 1000, token: str | None = None, **given: Any) -> flows.Pay:
        fields = {
            "product": Product.AGREEMENT,
            "scenario": None,
            "token_hash": digest(token or self.tokens.access),
        }
        return self.scene.pay(ref, minor, **fields | given)

    @property
    def revoke(self) -> flows.RevokeToken:
        return flows.RevokeToken(merchant_id=self.scene.merchant_id, access_hash=digest(self.tokens.access))

    @property
    def end(self) -> flows.EndAgreement:
        return flows.EndAgreement(wallet_id=self.scene.wallet_id, agreement_id=self.view.id)
