# No provider block: region and credentials come from the environment when this folder is the
# root, and from the caller when it is a module.
terraform {
  # 1.9: a validation may look at another variable (secret_kms_key_arn at secret_arn).
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # 5.75 still refuses the python3.13 runtime.
      version = ">= 5.80, < 7.0"
    }
  }
}
