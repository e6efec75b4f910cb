# A function inside a VPC, for a mail server that only that network reaches.

variable "vpc" {
  description = "Subnets and security groups that the function is put into: { subnet_ids = [...], security_group_ids = [...] }, at least one of each, at most 16 subnets and 5 groups. From there it must reach the mail server, and AWS: SQS, DynamoDB, CloudWatch, and what holds the secret, by a NAT gateway or by endpoints (examples/vpc). Logs need none, Lambda writes them. null: no VPC; the function reaches the internet."
  type = object({
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })
  default = null

  validation {
    condition = var.vpc == null || try(
      length(var.vpc.subnet_ids) >= 1 && length(var.vpc.subnet_ids) <= 16 &&
      alltrue([for id in var.vpc.subnet_ids : can(regex("^subnet-[0-9a-z]+$", id))]), false
    )
    error_message = "vpc.subnet_ids must be 1-16 ids of subnets (subnet-…). For no VPC leave vpc out."
  }

  validation {
    condition = var.vpc == null || try(
      length(var.vpc.security_group_ids) >= 1 && length(var.vpc.security_group_ids) <= 5 &&
      alltrue([for id in var.vpc.security_group_ids : can(regex("^sg-[0-9a-z]+$", id))]), false
    )
    error_message = "vpc.security_group_ids must be 1-5 ids of security groups (sg-…). For no VPC leave vpc out."
  }
}

# What Lambda documents for a function in a VPC ("Giving Lambda functions access to resources in an Amazon
# VPC"), without the logs' part of AWSLambdaVPCAccessExecutionRole. Resources are "*": EC2 describes no
# single interface or subnet, and an interface has no ARN before Lambda has made it; Lambda refuses a
# function whose role may do less. It is Lambda that uses these rights, before the code runs, so the code
# itself is denied them, as Lambda's documentation advises.
data "aws_iam_policy_document" "vpc" {
  #checkov:skip=CKV_AWS_111:An interface has no ARN before Lambda has made it; the function's code is denied the same actions below.

  statement {
    sid       = "NetworkInterfaces"
    actions   = local.vpc_actions
    resources = ["*"]
  }

  statement {
    sid       = "NetworkInterfacesNotForTheCode"
    effect    = "Deny"
    actions   = local.vpc_actions
    resources = ["*"]

    condition {
      test     = "ArnEquals"
      variable = "lambda:SourceFunctionArn"
      values   = [local.function_arn]
    }
  }
}

locals {
  vpc_actions = [
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
  ]
}
