"""Who lives in the demo world. All of them are invented; the places are real."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Store:
    """A place where a merchant sells, with its tills."""

    ref: str
    name: str
    city: str
    terminals: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Good:
    """Something sold: what stands on the receipt, and from where to where its price goes, in minor units."""

    name: str
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Merchant:
    """A merchant, its one contract and its one API client.

    `currency` is what it charges in, `settlement` what it is paid out in, `margin_bps` the traveller's
    margin in hundredths of a percent. `mcc` is of ISO 18245.
    """

    ref: str
    client_id: str
    name: str
    mcc: str
    country: str
    currency: str
    settlement: str
    margin_bps: int
    stores: tuple[Store, ...]
    goods: tuple[Good, ...]

    @property
    def sandbox(self) -> bool:
        """Whether it is there for tests only."""
        return self.client_id.startswith("SANDBOX_")


@dataclass(frozen=True, slots=True)
class Traveller:
    """A traveller with one wallet in CNY: what is in it, and what it may pay, in whole yuan."""

    login: str
    name: str
    yuan: str
    without_pin: int = 500
    at_once: int = 20_000
    a_day: int = 200_000
    frozen: bool = False


@dataclass(frozen=True, slots=True)
class Staff:
    """Somebody who works: at a merchant (its `ref`), at the Brussels office, or for the operator.

    Who may give money back has a PIN to approve it with.
    """

    login: str
    name: str
    role: str
    merchant: str | None = None
    office: bool = False

    @property
    def approves(self) -> bool:
        """Whether this person has a PIN."""
        return self.role in ("manager", "owner")


MERCHANTS: Final = (
    Merchant(
        ref="M0000000001",
        client_id="5Y60382Z03K00001",
        name="Chocolaterie Aubépine",
        mcc="5441",
        country="BE",
        currency="EUR",
        settlement="EUR",
        margin_bps=150,
        stores=(
            Store("AUB-BXL-1", "Aubépine Grand-Place", "Brussels", ("T1", "T2")),
            Store("AUB-BRU-1", "Aubépine Steenstraat", "Bruges", ("T1",)),
        ),
        goods=(Good("Pralines 500 g", 2200, 3900), Good("Tablet, 72 percent", 690, 990)),
    ),
    Merchant(
        ref="M0000000002",
        client_id="5Y60382Z03K00002",
        name="Brasserie Le Tilleul d'Or",
        mcc="5812",
        country="BE",
        currency="EUR",
        settlement="EUR",
        margin_bps=120,
        stores=(Store("TIL-BXL-1", "Le Tilleul d'Or, Sainte-Catherine", "Brussels", ("T1", "T2")),),
        goods=(Good("Lunch, 2 persons", 3800, 5400), Good("Tasting of 5 abbey beers", 1450, 1850)),
    ),
    Merchant(
        ref="M0000000003",
        client_id="5Y60382Z03K00003",
        name="Grand Magasin Delcourt",
        mcc="5311",
        country="FR",
        currency="EUR",
        settlement="EUR",
        margin_bps=180,
        stores=(Store("DEL-PAR-1", "Delcourt Rive Droite", "Paris", ("T1", "T2", "T3")),),
        goods=(
            Good("Silk scarf", 4200, 5600),
            Good("Perfume 50 ml", 3900, 5800),
            Good("Cookbook", 1800, 2900),
        ),
    ),
    Merchant(
        ref="M0000000004",
        client_id="5Y60382Z03K00004",
        name="Diamant Verschueren NV",
        mcc="5944",
        country="BE",
        currency="USD",
        settlement="EUR",
        margin_bps=100,
        stores=(Store("VER-ANT-1", "Verschueren Hoveniersstraat", "Antwerp", ("T1",)),),
        goods=(Good("Silver pendant", 4500, 6500), Good("Cleaning of a ring", 1500, 2500)),
    ),
    Merchant(
        ref="M0000000005",
        client_id="5Y60382Z03K00005",
        name="Thistle & Loom Ltd",
        mcc="5947",
        country="GB",
        currency="GBP",
        settlement="GBP",
        margin_bps=160,
        stores=(Store("THI-EDI-1", "Thistle & Loom Royal Mile", "Edinburgh", ("T1",)),),
        goods=(Good("Lambswool scarf", 2400, 3900), Good("Shortbread tin", 850, 1400)),
    ),
    Merchant(
        ref="M0000000006",
        client_id="5Y60382Z03K00006",
        name="Vintersol Glas AB",
        mcc="5947",
        country="SE",
        currency="SEK",
        settlement="SEK",
        margin_bps=170,
        stores=(Store("VIN-STO-1", "Vintersol Gamla stan", "Stockholm", ("T1",)),),
        goods=(Good("Glass bird", 24900, 44900), Good("Tealight holder", 9900, 17900)),
    ),
    Merchant(
        ref="M0000000007",
        client_id="5Y60382Z03K00007",
        name="Gaufres Aubépine Japan KK",
        mcc="5812",
        country="JP",
        currency="JPY",
        settlement="JPY",
        margin_bps=140,
        stores=(Store("AUB-TYO-1", "Aubépine Ginza", "Tokyo", ("T1",)),),
        goods=(Good("Liège waffle", 480, 980), Good("Box of 12 pralines", 3200, 5600)),
    ),
    Merchant(
        ref="M0000000008",
        client_id="5Y60382Z03K00008",
        name="Lebkuchen Sebaldus GmbH",
        mcc="5441",
        country="DE",
        currency="EUR",
        settlement="EUR",
        margin_bps=150,
        stores=(Store("SEB-NUE-1", "Sebaldus am Hauptmarkt", "Nuremberg", ("T1", "T2")),),
        goods=(Good("Gingerbread tin", 1490, 2990), Good("Wooden nutcracker", 2900, 6900)),
    ),
    Merchant(
        ref="M0000000099",
        client_id="SANDBOX_5Y60382Z03K00099",
        name="Test counter",
        mcc="5947",
        country="BE",
        currency="EUR",
        settlement="EUR",
        margin_bps=150,
        stores=(Store("TEST-1", "Test counter", "Brussels", ("T1",)),),
        goods=(Good("Test article", 100, 5000),),
    ),
)

TRAVELLERS: Final = (
    Traveller("+8613912340001", "王芳", "86000.00"),
    Traveller("+8613912340002", "李伟", "52400.50"),
    Traveller("+8613912340003", "张敏", "38000.00"),
    Traveller("+8613912340004", "陈静", "41250.00"),
    Traveller("+8613912340005", "杨帆", "33000.00"),
    Traveller("+8613912340006", "赵雪梅", "64800.00"),
    Traveller("+8613912340007", "孙丽华", "880000.00", without_pin=1_000, at_once=100_000, a_day=500_000),
    Traveller("+8613912340008", "刘洋", "3.20"),
    Traveller("+8613912340009", "马晓东", "9600.00", without_pin=200, at_once=300, a_day=300),
    Traveller("+8613912340010", "林国栋", "15000.00", frozen=True),
)

#: What each of them is there for, besides shopping.
NEARLY_EMPTY: Final = "+8613912340008"
LOW_LIMIT: Final = "+8613912340009"
FROZEN: Final = "+8613912340010"

#: What shows a traveller's payment codes.
DEVICES: Final = ("Phone", "Watch", "Tablet")

STAFF: Final = (
    Staff("sofie@aubepine.example", "Sofie De Clercq", "cashier", merchant="M0000000001"),
    Staff("julien@aubepine.example", "Julien Lambert", "manager", merchant="M0000000001"),
    Staff("marguerite@aubepine.example", "Marguerite Aubry", "owner", merchant="M0000000001"),
    Staff("wim@aubepine.example", "Wim Peeters", "accountant", merchant="M0000000001"),
    Staff("camille@delcourt.example", "Camille Moreau", "cashier", merchant="M0000000003"),
    Staff("etienne@delcourt.example", "Étienne Delcourt", "manager", merchant="M0000000003"),
    Staff("lotte@verschueren.example", "Lotte Janssens", "cashier", merchant="M0000000004"),
    Staff("bart@verschueren.example", "Bart Verschueren", "owner", merchant="M0000000004"),
    Staff("jonas@sebaldus.example", "Jonas Huber", "cashier", merchant="M0000000008"),
    Staff("annika@sebaldus.example", "Annika Sebald", "manager", merchant="M0000000008"),
    Staff("katrien@brussels.example", "Katrien Maes", "officer", office=True),
    Staff("nora@comptoir.example", "Nora Van den Berg", "operator"),
)
