"""The text of an HTML body, as a person would have written it.

The HTML is read once from front to back, without a tree: work and memory follow its size, however
deep its tags lie in one another. A tree as browsers build it can be quadratically larger than its
HTML, since formatting is opened anew in each paragraph (HTML standard, section 13.2.4.3).
"""

from ion.mail.plain_text.reader import plain_text

__all__ = ["plain_text"]
