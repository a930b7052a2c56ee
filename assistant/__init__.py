"""What a workflow file imports: `from assistant import Ask, Table, Workflow`."""

from .errors import Refused
from .parameters import Ask, Secret, Upload
from .results import Download, Graph, Note, Progress, Table
from .workflow import Workflow

__all__ = ["Ask", "Download", "Graph", "Note", "Progress", "Refused", "Secret", "Table", "Upload", "Workflow"]
