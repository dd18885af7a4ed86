"""A device at a till, for the counter's tests: logged in, standing somewhere, a customer before it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.test import Client
from playwright.sync_api import Browser, Page

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import PaymentView
from comptoir.db.run import read
from comptoir.flows import api as flows
from comptoir.identity import api as identity
from comptoir.identity.api import PersonView
from comptoir.kernel.clock import utc_now
from comptoir.kernel.ids import new_id
from comptoir.kernel.money import Money
from comptoir.ledger import api as ledger
from comptoir.ledger.api import Role
from comptoir.standards.payment_code import Form, build
from comptoir.wallet.api import open_issuers
from tests.web.pages import aside, client_of, open_as
from tests.web.world import Shop, Traveller, World

COOKIE = "counter_till"
MANAGER_PIN = "730412"
TABLET = {"width": 1024, "height": 768}


def stand(shop: Shop, number: int = 0) -> str:
    """The cookie of a device at one of the shop's two tills."""
    return f"{shop.stores[number].hex}.{quote(f'T{number + 1}')}"


def client_at_till(person: PersonView, shop: Shop, number: int = 0) -> Client:
    """Django's test client of somebody, at a till."""
    client = client_of(person)
    client.cookies[COOKIE] = stand(shop, number)
    return client


def open_at_till(
    browser: Browser, site: str, world: World, person: PersonView | None = None, **options: Any
) -> Page:
    """A browser at the first till of the world's shop: the cashier's, unless somebody else is named."""
    page = open_as(browser, site, person or world.shop.cashier, **options)
    page.context.add_cookies([{"name": COOKIE, "value": stand(world.shop), "url": f"{site}/counter/"}])
    return page


def code_of(traveller: Traveller, n: int = 0) -> str:
    """The code that the traveller's phone shows now."""
    return build(Form.SHORT, traveller.device, traveller.seed, utc_now(), n)


def till_of(shop: Shop, number: int = 0) -> acquiring.TillView:
    """The same till as the flows know it."""
    found = acquiring.till(shop.merchant_id, shop.stores[number], f"T{number + 1}")
    assert found is not None
    return found


def payments_of(shop: Shop) -> list[PaymentView]:
    """Every payment of a shop, the newest first."""
    wanted = acquiring.PaymentFilter(merchant_id=shop.merchant_id)
    return acquiring.decode_payments(read(acquiring.payments_page(wanted, 100)))


def in_the_books(shop: Shop) -> tuple[int, int]:
    """How many payments a shop has, and what it is owed in cents."""
    owed = ledger.balance(ledger.account_id(shop.merchant_id, Role.MERCHANT_PAYABLE, "EUR")).posted
    return len(payments_of(shop)), owed


def claim_and_confirm(traveller: Traveller, order_code: str) -> None:
    """The traveller scans a shop's code and confirms."""

    def work() -> None:
        now, desk = utc_now(), flows.Desk(5)
        claim = flows.Claim(order_code=order_code, wallet_id=traveller.wallet_id)
        claimed = flows.execute([claim], now, desk)[0].payment
        assert claimed is not None
        assert claimed.authorization_id is not None
        confirm = flows.Confirm(wallet_id=traveller.wallet_id, authorization_id=claimed.authorization_id)
        flows.execute([confirm], now, desk)

    aside(work)


def sale_of(page: Page) -> UUID:
    """The sale whose page is shown."""
    return UUID(page.url.split("/sale/")[1].split("?")[0])


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def line_to_nobody() -> flows.IssuerLine:
    """The way to other wallets where there are none."""

    async def nobody_else() -> object:
        return open_issuers({})

    return flows.IssuerLine(nobody_else, lambda: flows.Desk(5))  # type: ignore[arg-type]


def sold(world: World, minor: int = 1000, n: int = 0, number: int = 0) -> PaymentView:
    """A payment at one of the shop's tills, by the traveller."""

    line = line_to_nobody()
    code = code_of(world.traveller, n)
    till, seller = till_of(world.shop, number), world.shop.cashier.id
    outcome = flows.take(till, eur(minor), new_id(), code, utc_now(), line, seller=seller)
    line.close()
    assert outcome.code == flows.OK
    assert outcome.payment is not None
    return outcome.payment


def text(client: Client, address: str, **parameters: str) -> str:
    """A page's HTML."""
    answer = client.get(address, parameters)
    assert answer.status_code == 200, answer
    return str(answer.content.decode())


def done_to(world: World, payment: PaymentView) -> list[str]:
    """What the record says was done to a payment."""
    found = identity.actions(world.shop.merchant_id, subject=("payment", payment.id.hex))
    return [one.action for one in found.entries]
