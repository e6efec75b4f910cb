"""The emails that everybody sends: 4 KB of text and HTML, each a little different."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

SENDER = "shop@sender.example"
QUEUED_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
_DIFFERENT = 256
"""So many of them; after that they begin again, with another key."""

_LINES = [
    ("Hiking boots, brown, size 42", "1", "149.00"),
    ("Wool socks, three pairs", "2", "24.90"),
    ("Rain jacket, café au lait", "1", "189.00"),
    ("Map of the Hohe Tauern, 1:50,000", "1", "12.50"),
    ("Gift card “Für dich”", "1", "50.00"),
    ("Trekking poles, carbon, a pair", "1", "79.90"),
    ("Head lamp, 400 lumen", "1", "39.00"),
    ("First-aid kit, small", "1", "19.90"),
    ("Drinking bottle, one litre, steel", "2", "24.00"),
    ("Sun hat, straw", "1", "29.00"),
    ("Blister plasters", "3", "6.90"),
]
_PARAGRAPH = (
    "We have received your order and are packing it now. You will hear from us again as soon as it "
    "has left our house; from then on it takes two to three working days. Should anything be wrong "
    "with it, just answer this email: somebody will read it the same day."
)
_SMALL_PRINT = (
    "You can return what you don't like within thirty days. Prices include value added tax. "
    "This email was sent because an order was placed with your address; if it wasn't you, tell us."
)


def published(number: int) -> str:
    """The message body that asks for one, as a publisher writes it."""
    return json.dumps(
        {
            "action": "send",
            "email_id": f"order-{number}",
            "recipient": f"Customer {number % _DIFFERENT} <customer{number}@example.org>",
            "sender": f"The Shop <{SENDER}>",
            "subject": f"Your order {number} has arrived at our house",
            "body_text": _text(number),
            "body_html": _html(number),
        }
    )


def endless() -> Iterator[tuple[str, str]]:
    """Keys and message bodies, for ever; none is made while a clock is running."""
    bodies = [published(number) for number in range(_DIFFERENT)]
    number = 0
    while True:
        yield f"order-{number}", bodies[number % _DIFFERENT]
        number += 1


def email_message(message: dict[str, str]) -> EmailMessage:
    """The standard library's way, as its documentation shows it."""
    email = EmailMessage()
    email["Subject"] = message["subject"]
    email["From"] = message["sender"]
    email["To"] = message["recipient"]
    email.set_content(message["body_text"])
    email.add_alternative(message["body_html"], subtype="html")
    return email


def mime_multipart(message: dict[str, str]) -> str:
    """The first ion's way."""
    email = MIMEMultipart("alternative")
    email["Subject"] = message["subject"]
    email["From"] = message["sender"]
    email["To"] = message["recipient"]
    email.attach(MIMEText(message["body_text"], "plain"))
    email.attach(MIMEText(message["body_html"], "html"))
    return email.as_string()


def address(mailbox: str) -> str:
    """What is between the angle brackets."""
    return mailbox.partition("<")[2].rstrip(">")


def _text(number: int) -> str:
    lines = "\n".join(f"{count} x {what:<40} € {price:>8}" for what, count, price in _LINES)
    return (
        f"Dear customer,\n\n{_PARAGRAPH}\n\nOrder {number}\n\n{lines}\n\n"
        f"Greetings from Graz\nyour shop\n\n--\n{_SMALL_PRINT}\n"
    )


def _html(number: int) -> str:
    rows = "\n".join(
        f'<tr><td>{count}</td><td class="what">{what}</td><td class="price">€ {price}</td></tr>'
        for what, count, price in _LINES
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Order {number}</title>
<style>
body {{ font: 16px/1.5 sans-serif; color: #222; margin: 0; background: #f6f6f3 }}
main {{ max-width: 36em; margin: auto; padding: 1.5em; background: #fff }}
table {{ width: 100%; border-collapse: collapse }}
td {{ padding: .4em; border-bottom: 1px solid #ddd }}
.price {{ text-align: right; white-space: nowrap }}
</style></head>
<body><main>
<h1>Thank you!</h1>
<p>Dear customer,</p>
<p>{_PARAGRAPH}</p>
<h2>Order {number}</h2>
<table>
{rows}
</table>
<p><a href="https://shop.example/orders/{number}">See the order</a></p>
<p>Greetings from Graz<br>your shop</p>
<p><small>{_SMALL_PRINT}</small></p>
</main></body></html>
"""
