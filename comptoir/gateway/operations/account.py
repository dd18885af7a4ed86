"""merchantAccountId: where one client id serves several accounts, which is meant. Here it never does.

A client belongs to one merchant for ever. So the member may be left out, or name that merchant by its
public reference. Another value is refused, not ignored: who sends it means another account, and money and
records would go to the wrong one.
"""

from __future__ import annotations

from comptoir.acquiring import api as acquiring
from comptoir.gateway.call import Call
from comptoir.gateway.operations.services import Services
from comptoir.standards.antom.errors import ParamIllegal


async def check_account(services: Services, call: Call, account: str | None) -> None:
    """Refuse an account that is not the caller's own. Raises ParamIllegal."""
    if not account:
        return
    merchant_id = call.client.merchant_id
    rows = await services.read([acquiring.merchants([merchant_id])])
    merchant = acquiring.decode_merchants(rows[0]).get(merchant_id)
    if merchant is None or merchant.ref != account:
        own = f": it speaks for {merchant.ref}" if merchant else ""
        raise ParamIllegal(
            f"merchantAccountId is not the account of this client{own}", field="merchantAccountId"
        )
