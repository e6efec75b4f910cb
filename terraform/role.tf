# The function's role: one that is made here, or one that an organisation makes for it.

variable "role_arn" {
  description = "ARN of a role of yours for the function, where only some may make roles. The module then makes none and attaches nothing: Lambda (lambda.amazonaws.com) must be allowed to assume it, and it needs what the output role_policy_json says. null: the module makes a role with that policy."
  type        = string
  default     = null

  validation {
    condition     = var.role_arn == null || can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$", var.role_arn))
    error_message = "role_arn must be the ARN of an IAM role (arn:aws:iam::<account>:role/<path and name>)."
  }
}

variable "role_path" {
  description = "Path of the role that the module makes: begins and ends with /, 1-512 characters."
  type        = string
  default     = "/"
  nullable    = false

  validation {
    condition     = length(var.role_path) <= 512 && can(regex("^/([A-Za-z0-9!-~]+/)*$", var.role_path)) && !strcontains(var.role_path, "//")
    error_message = "role_path must begin and end with /, as in /service/mail/."
  }

  validation {
    condition     = var.role_path == "/" || var.role_arn == null
    error_message = "role_path is for the role that the module makes, and with role_arn it makes none: leave one of them out."
  }
}

variable "permissions_boundary_arn" {
  description = "ARN of the policy that bounds what the module's role may do, where an organisation requires one. It must let through what role_policy_json says. null: none."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary_arn == null || can(regex("^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[A-Za-z0-9+=,.@_/-]+$", var.permissions_boundary_arn))
    error_message = "permissions_boundary_arn must be the ARN of an IAM policy (arn:aws:iam::<account>:policy/<path and name>)."
  }

  validation {
    condition     = var.permissions_boundary_arn == null || var.role_arn == null
    error_message = "permissions_boundary_arn is for the role that the module makes, and with role_arn it makes none: leave one of them out."
  }
}

locals {
  role_arn = var.role_arn == null ? aws_iam_role.relay[0].arn : var.role_arn
}

data "aws_iam_policy_document" "assume_role" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "relay" {
  count = var.role_arn == null ? 1 : 0

  name                 = "${var.name}-lambda-role" # not local.name: it comes before the log group
  path                 = var.role_path
  description          = "ion: what the relay may do"
  assume_role_policy   = data.aws_iam_policy_document.assume_role.json
  permissions_boundary = var.permissions_boundary_arn
  tags                 = var.tags
}

resource "aws_iam_role_policy" "relay" {
  count = var.role_arn == null ? 1 : 0

  name   = "relay"
  role   = aws_iam_role.relay[0].id
  policy = data.aws_iam_policy_document.relay.json
}

output "role_name" {
  description = "Name of the function's role, for grants beyond the module's own."
  value       = reverse(split("/", local.role_arn))[0]
}

output "role_arn" {
  description = "ARN of the function's role."
  value       = local.role_arn
}

output "role_policy_json" {
  description = "What the function's role may do: for the owner of role_arn to attach. The module's own role has it already."
  value       = data.aws_iam_policy_document.relay.json
}
