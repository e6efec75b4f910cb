"""Email from the deployer's Jinja templates and a publisher's data, within bounds."""

from ion.template.files import Files, FilesUnavailableError
from ion.template.folder import Folder
from ion.template.renderer import PARTS, Part, Renderer, Rendering

__all__ = [
    "PARTS",
    "Files",
    "FilesUnavailableError",
    "Folder",
    "Part",
    "Renderer",
    "Rendering",
]
