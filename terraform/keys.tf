# A customer's KMS keys, each for what its name says; one key can be all of them. null: AWS's own keys.

variable "secret_kms_key_arn" {
  description = "ARN of the customer KMS key that encrypts the secret. null: the secret uses the AWS managed key, which needs no grant."
  type        = string
  default     = null

  validation {
    # An alias can't stand in an IAM policy as a resource, hence the key itself.
    condition     = var.secret_kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[a-z0-9-]+$", var.secret_kms_key_arn))
    error_message = "secret_kms_key_arn must be the ARN of a KMS key (arn:aws:kms:<region>:<account>:key/<id>), not of an alias."
  }

  validation {
    condition     = var.secret_kms_key_arn == null || var.secret_arn != null
    error_message = "secret_kms_key_arn is of no use without secret_arn."
  }
}

variable "kms_key_arn" {
  description = "ARN of the customer KMS key for topics, queues, ledger and outbox. null: keys that AWS owns (queues and tables). The key's policy must allow sns.amazonaws.com kms:GenerateDataKey and kms:Decrypt, else SNS can deliver to no queue; publishers need both too."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[a-z0-9-]+$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a KMS key (arn:aws:kms:<region>:<account>:key/<id>), not of an alias."
  }
}

variable "log_kms_key_arn" {
  description = "ARN of the customer KMS key for the function's logs, which hold no addresses and no content. The key's policy must allow logs.<region>.amazonaws.com kms:Encrypt*, kms:Decrypt*, kms:ReEncrypt*, kms:GenerateDataKey* and kms:Describe*. null: a key that AWS owns."
  type        = string
  default     = null

  validation {
    condition     = var.log_kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[a-z0-9-]+$", var.log_kms_key_arn))
    error_message = "log_kms_key_arn must be the ARN of a KMS key (arn:aws:kms:<region>:<account>:key/<id>), not of an alias."
  }
}

variable "environment_kms_key_arn" {
  description = "ARN of the customer KMS key for the function's environment variables, which hold no secrets. The person or role that applies needs kms:Encrypt and kms:CreateGrant on it. null: a key that AWS manages."
  type        = string
  default     = null

  validation {
    condition     = var.environment_kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[a-z0-9-]+$", var.environment_kms_key_arn))
    error_message = "environment_kms_key_arn must be the ARN of a KMS key (arn:aws:kms:<region>:<account>:key/<id>), not of an alias."
  }
}

variable "alarm_topic_kms_key_arn" {
  description = "ARN of the customer KMS key for the topic by which alarms wake the function; no email goes by it. The key's policy must allow cloudwatch.amazonaws.com kms:GenerateDataKey* and kms:Decrypt, else the alarms wake nothing, and mail waits for the schedule. null: not encrypted."
  type        = string
  default     = null

  validation {
    condition     = var.alarm_topic_kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[a-z0-9-]+$", var.alarm_topic_kms_key_arn))
    error_message = "alarm_topic_kms_key_arn must be the ARN of a KMS key (arn:aws:kms:<region>:<account>:key/<id>), not of an alias."
  }
}
