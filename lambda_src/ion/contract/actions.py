"""The messages that ion knows."""

from ion.contract.send import Send
from ion.contract.steering import Cancel, Pause, Redrive, Resume, Stop

Action = Send | Redrive | Cancel | Stop | Pause | Resume
