"""`ionctl doctor`: what is wrong with a relay, and what to do. One file a subject."""

from ionctl.ops.doctor.examine import diagnose, diagnose_secrets
from ionctl.ops.doctor.mail import Options

__all__ = ["Options", "diagnose", "diagnose_secrets"]
