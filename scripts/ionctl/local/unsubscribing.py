"""The function of unsubscribe links, as terraform/unsubscribe.tf makes it, and its URL."""

from ionctl.local import policies
from ionctl.local.names import Names
from ionctl.local.variables import Variables
from ionctl.ops.account import Account

_CONCURRENCY = 5


def deploy(clients: Account, names: Names, variables: Variables) -> str:
    """Create the function and what it needs; give the URL that it has in AWS."""
    functions, name = clients.functions, names.unsubscribe
    clients.iam.create_role(
        RoleName=names.unsubscribe_role,
        Description="ion: what the unsubscribe function may do",
        AssumeRolePolicyDocument=policies.assume_role(),
    )
    clients.iam.put_role_policy(
        RoleName=names.unsubscribe_role,
        PolicyName="unsubscribe",
        PolicyDocument=policies.unsubscribe_role(names),
    )
    clients.logs.create_log_group(logGroupName=names.unsubscribe_log_group)
    clients.logs.put_retention_policy(logGroupName=names.unsubscribe_log_group, retentionInDays=30)
    functions.create_function(
        FunctionName=name,
        Description=f"ion: notes in {names.table} who unsubscribes",
        Role=names.unsubscribe_role_arn,
        Code={"ZipFile": variables.package.read_bytes()},
        Handler="ion.unsubscribe.handler.run",
        Runtime="python3.13",
        Architectures=["arm64"],
        MemorySize=256,
        Timeout=20,
        Environment={
            "Variables": {"ION_AWS_LEDGER_TABLE": names.table, "POWERTOOLS_SERVICE_NAME": name}
        },
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=name)
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=_CONCURRENCY)
    url = functions.create_function_url_config(FunctionName=name, AuthType="NONE")["FunctionUrl"]
    functions.add_permission(
        FunctionName=name,
        StatementId="FunctionURLAllowPublicAccess",  # as Terraform's provider calls it
        Action="lambda:InvokeFunctionUrl",
        Principal="*",
        FunctionUrlAuthType="NONE",
    )
    functions.add_permission(
        FunctionName=name,
        StatementId="unsubscribe-by-anybody",
        Action="lambda:InvokeFunction",
        Principal="*",
    )
    return url


def environment(url: str) -> dict[str, str]:
    """Give what the relay is told of it; nothing without a URL."""
    return {"ION_UNSUBSCRIBE_URL": url.rstrip("/")} if url else {}


def reach(clients: Account, names: Names) -> str:
    """Have links lead to where the emulated AWS serves the function: no name on this machine is it.

    Returns:
        The URL that the links begin with.
    """
    functions = clients.functions
    about = functions.get_function_url_config(FunctionName=names.unsubscribe)
    url_id = about["FunctionUrl"].removeprefix("https://").partition(".")[0]
    url = f"{names.endpoint}/_aws/lambda-url/{url_id}"
    relay = functions.get_function_configuration(FunctionName=names.function)
    variables = relay["Environment"]["Variables"] | environment(url)
    functions.update_function_configuration(
        FunctionName=names.function, Environment={"Variables": variables}
    )
    functions.get_waiter("function_updated_v2").wait(FunctionName=names.function)
    return url
