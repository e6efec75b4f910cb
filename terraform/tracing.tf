# What looks into the function from outside: X-Ray, and layers with their environment. Off unless asked for.

variable "tracing" {
  description = "off, or active: Lambda then sends a trace of each sampled run to X-Ray, and the role may write it. Of ion's own calls it shows none unless a layer instruments them (layers)."
  type        = string
  default     = "off"
  nullable    = false

  validation {
    condition     = contains(["off", "active"], var.tracing)
    error_message = "tracing must be off or active."
  }
}

variable "layers" {
  description = "ARNs of Lambda layer versions, at most 5, in the order in which they are unpacked. For AWS Distro for OpenTelemetry: its layer for Python, with extra_environment = { AWS_LAMBDA_EXEC_WRAPPER = \"/opt/otel-instrument\" } and tracing = \"active\". A layer runs with the function's rights, and sees each email."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition = length(var.layers) <= 5 && alltrue([
      for arn in var.layers : can(regex("^arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:layer:[A-Za-z0-9_-]+:[0-9]+$", arn))
    ])
    error_message = "layers must be at most 5 ARNs of layer versions (arn:aws:lambda:<region>:<account>:layer:<name>:<version>)."
  }
}

variable "extra_environment" {
  description = "Environment variables for the layers, such as OTEL_*. ion's own are set by settings. With settings at most 2560 characters in all. No secrets: they would be readable in the state and in the function's configuration."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition = alltrue([
      for name in keys(var.extra_environment) :
      can(regex("^[A-Za-z][A-Za-z0-9_]+$", name)) && !startswith(upper(name), "ION_") && !contains(["POWERTOOLS_SERVICE_NAME", "MODULE_VERSION"], name)
    ])
    error_message = "Names in extra_environment must have letters, digits and _, a letter first. ION_, POWERTOOLS_SERVICE_NAME and MODULE_VERSION are the module's: use settings."
  }

  validation {
    # "Defined runtime environment variables" that Lambda reserves.
    condition = length(setintersection(keys(var.extra_environment), [
      "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
      "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME",
      "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API", "AWS_REGION", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
      "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT",
    ])) == 0
    error_message = "extra_environment has a variable that Lambda sets by itself, such as AWS_REGION: leave it out."
  }

  validation {
    # As for settings: Lambda's 4 KB less what the module needs.
    condition = length(join("", flatten([
      [for name, value in var.extra_environment : "${name}${value}"],
      [for section, entries in var.settings : [for key, value in entries : "ION_${section}_${key}${value}" if value != null]],
    ]))) <= 2560
    error_message = "extra_environment and settings must not exceed 2560 characters in all."
  }
}

data "aws_iam_policy_document" "tracing" {
  # X-Ray has no resources to name: a trace is of the whole account.
  statement {
    sid       = "WriteTraces"
    actions   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
    resources = ["*"]
  }
}
