"""The shop's three pages."""

from __future__ import annotations

from html import escape

from examples.shop.orders import GOODS, Order

_STYLE = """
body { margin: 0 auto; max-width: 34rem; padding: 2rem 1.25rem; background: #fbf7f0; color: #33251b;
       font: 17px/1.5 Georgia, serif; }
h1 { font-weight: 400; letter-spacing: .02em; }
form, .card { display: flex; justify-content: space-between; align-items: center; gap: 1rem;
              margin: .75rem 0; padding: 1rem 1.25rem; background: #fff; border: 1px solid #e4d8c6;
              border-radius: .75rem; }
button { padding: .75rem 1.25rem; border: 0; border-radius: .5rem; background: #5a3420; color: #fff;
         font: inherit; cursor: pointer; }
.paid { border-color: #2d6a3f; color: #1f5a33; font-weight: 700; }
a { color: #5a3420; }
"""


def _page(title: str, nonce: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{title}</title><style nonce="{nonce}">{_STYLE}</style></head>'
        f"<body><h1>Chocolaterie Aubépine</h1>{body}</body></html>"
    )


def goods(nonce: str) -> str:
    """What can be bought."""
    rows = "".join(
        f'<form method="post" action="/orders"><input type="hidden" name="article" value="{key}">'
        f"<span>{escape(name)}<br>{euros(cents)}</span><button>Buy {escape(name)}</button></form>"
        for key, (name, cents) in GOODS.items()
    )
    return _page("Chocolaterie Aubépine", nonce, rows)


def order(one: Order, nonce: str, problem: str = "") -> str:
    """One order, and what can be done about it."""
    line = f'<div class="card"><span>{escape(one.name)}</span><strong>{euros(one.cents)}</strong></div>'
    if one.state == "paid":
        body = line + '<p class="card paid" role="status">Paid. Thank you! We pack it today.</p>'
    elif one.state == "failed":
        body = line + '<p class="card" role="status">Not paid. Nothing was taken.</p>'
    else:
        told = f'<p class="card" role="alert">{escape(problem)}</p>' if problem else ""
        body = (
            line + told + f'<form method="post" action="/orders/{one.ref}/pay">'
            "<span>Alipay and other Chinese wallets</span><button>Pay</button></form>"
        )
    return _page("Your order", nonce, body + '<p><a href="/">Back to the shop</a></p>')


def euros(cents: int) -> str:
    """29.50 as €29.50."""
    return f"€{cents // 100}.{cents % 100:02d}"
