"""The pages that a person sees who follows an unsubscribe link: plain HTML, in light and dark.

They say nothing about the person or the sender, load nothing, run nothing, and are one column that
a telephone has room for.
"""

from base64 import b64encode
from hashlib import sha256

_STYLE = """
:root { color-scheme: light dark; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center;
  font: 1.0625rem/1.5 system-ui, sans-serif; background: #fff; color: #1c1c1e; }
main { box-sizing: border-box; width: 100%; max-width: 30rem; padding: 2rem 1.5rem; }
h1 { margin: 0 0 .75rem; font-size: 1.5rem; line-height: 1.25; }
p { margin: 0 0 1.5rem; }
button { box-sizing: border-box; width: 100%; padding: .8rem 1.5rem; font: inherit;
  font-weight: 600; color: #fff; background: #0b57d0; border: 0; border-radius: .5rem;
  cursor: pointer; }
button:focus-visible { outline: 3px solid #1c1c1e; outline-offset: 3px; }
@media (prefers-color-scheme: dark) {
  body { background: #18181b; color: #f1f1f3; }
  button { color: #0b1a33; background: #a8c7fa; }
  button:focus-visible { outline-color: #f1f1f3; }
}
"""
_BUTTON = """<form method="post">
<input type="hidden" name="List-Unsubscribe" value="One-Click">
<button>Unsubscribe</button>
</form>"""

ASK = ("Unsubscribe?", "You won&rsquo;t get emails like this one any more.", _BUTTON)
DONE = ("You are unsubscribed", "You won&rsquo;t get emails like this one any more.", "")
FORGED = (
    "This link doesn&rsquo;t work",
    "It is incomplete, or was changed on its way. Open the link in the email once more.",
    "",
)
UNKNOWN = ("There is nothing here", "", "")
NOT_ALLOWED = ("This can&rsquo;t be done here", "", "")
LATER = (
    "This doesn&rsquo;t work just now",
    "Nothing has changed. Please try again in a few minutes.",
    "",
)
NOT_ONE_CLICK = ("Unsubscribe?", "Nothing has changed yet: please press the button.", _BUTTON)

Words = tuple[str, str, str]
"""Heading, sentence, and what follows."""


def page(words: Words) -> str:
    """One HTML document."""
    heading, sentence, more = words
    paragraph = f"<p>{sentence}</p>\n" if sentence else ""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="robots" content="noindex, nofollow">\n'
        f"<title>{heading}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{heading}</h1>\n{paragraph}{more}\n</main>\n</body>\n</html>\n"
    )


def headers() -> dict[str, str]:
    """Header fields of each page: the link is a secret of the recipient's, and no cache keeps it.

    The policy allows this style, this form and nothing else (Content Security Policy Level 3).
    """
    style = b64encode(sha256(_STYLE.encode()).digest()).decode()
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Cache-Control": "no-store",
        "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{style}'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex, nofollow",
    }
