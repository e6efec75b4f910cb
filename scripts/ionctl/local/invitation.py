"""What ./run.sh says when it is up: four lines, the one to open last."""

from ionctl.ops.local_stack import LocalStack, local_file

_BOLD, _PLAIN = "\033[1m", "\033[0m"


def text(stack: LocalStack, *, on_terminal: bool) -> str:
    """Give the lines.

    Args:
        stack: where everything is.
        on_terminal: whether a line may stand out.
    """
    server = stack.mail_server
    bold, plain = (_BOLD, _PLAIN) if on_terminal else ("", "")
    last = (
        f"console      {stack.console_url}" if stack.console_url else f"all of it    {local_file()}"
    )
    return f"""\
topic        {stack.topic_arn} at {stack.endpoint_url}
mail server  {server.host}:{server.port} (STARTTLS; {server.username}, {server.password})
to end it    Ctrl-C
{bold}{last}{plain}"""
