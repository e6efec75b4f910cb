"""boto3's errors, as a word that may be logged."""

from botocore.exceptions import BotoCoreError, ClientError

AWS_ERRORS = (ClientError, BotoCoreError)


def code_of(error: Exception) -> str:
    """AWS's code for what went wrong; never its text, which may repeat what was sent."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "ClientError"))
    return type(error).__name__
