# What the function runs: a package on this machine, or one in S3. Both come from ./release.sh.

variable "package" {
  description = "Path of the Lambda package (.zip), as ./release.sh wrote it, with its manifest (.zip.json) beside it. null: the one inside the released module, else dist/ion-<architecture>.zip beside this folder."
  type        = string
  default     = null

  validation {
    condition     = var.package == null || var.package_s3 == null
    error_message = "package and package_s3 are two places for one package: set one of them."
  }
}

variable "package_s3" {
  description = "The package in S3, instead of a file: its bucket, in the function's region, its key, the object's version if the bucket has versions, and sha256_base64, the hash of its bytes as ./release.sh prints it (openssl dgst -sha256 -binary FILE | base64), by which a plan notices a new one. null: it is a file, see package."
  type = object({
    bucket         = string
    key            = string
    object_version = optional(string)
    sha256_base64  = string
  })
  default = null

  validation {
    condition     = var.package_s3 == null || can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.package_s3.bucket))
    error_message = "package_s3.bucket must be the name of a bucket: 3-63 small letters, digits, - and dots."
  }

  validation {
    condition     = var.package_s3 == null || try(length(var.package_s3.key) >= 1 && length(var.package_s3.key) <= 1024, false)
    error_message = "package_s3.key must have 1-1024 characters."
  }

  validation {
    condition     = var.package_s3 == null || can(regex("^[A-Za-z0-9+/]{43}=$", var.package_s3.sha256_base64))
    error_message = "package_s3.sha256_base64 must be a SHA-256 in base64, 44 characters: openssl dgst -sha256 -binary FILE | base64"
  }
}

variable "code_signing_config_arn" {
  description = "ARN of a Lambda code signing configuration (arn:aws:lambda:<region>:<account>:code-signing-config:csc-…): AWS then takes only packages that AWS Signer has signed; it writes them to S3, see package_s3. null: any package."
  type        = string
  default     = null

  validation {
    condition = var.code_signing_config_arn == null || can(regex(
      "^arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:code-signing-config:csc-[a-z0-9]{17}$", var.code_signing_config_arn
    ))
    error_message = "code_signing_config_arn must be the ARN of a Lambda code signing configuration (arn:aws:lambda:<region>:<account>:code-signing-config:csc-<17 characters>)."
  }
}

locals {
  # pyproject.toml's, by scripts/module.
  module_version = "0.1.0"
  # As in the function's runtime.
  package_python = "3.13"

  # A released module has its packages inside; a clone has them where ./release.sh puts them.
  packages_released = "${path.module}/dist/ion-${var.architecture}.zip"
  packages_built    = "${path.module}/../dist/ion-${var.architecture}.zip"

  package      = coalesce(var.package, fileexists(local.packages_released) ? local.packages_released : local.packages_built)
  package_name = try(var.package_s3.key, local.package)

  # null where the file isn't there, so that a person meets the words below and not the function's.
  package_file_hash = var.package_s3 == null && fileexists(local.package) ? filebase64sha256(local.package) : null
  package_hash      = try(var.package_s3.sha256_base64, local.package_file_hash)

  # Empty for a package in S3, and for one without a manifest: then its name has to do.
  package_manifest  = jsondecode(var.package_s3 == null && fileexists("${local.package}.json") ? file("${local.package}.json") : "{}")
  package_processor = try(local.package_manifest.architecture, regex("(arm64|x86_64)[.]zip$", local.package_name)[0], var.architecture)

  # The first that is wrong; null: nothing is. It stands in function.tf, as a precondition.
  package_fault = (
    local.package_hash == null ?
    "There is no Lambda package at ${local.package}: run ./release.sh first, or say where it is with the variable package." :

    try(local.package_manifest.sha256_base64, local.package_hash) != local.package_hash ?
    "${local.package} isn't what its manifest says, ${local.package}.json: its SHA-256 is another. Build both again (./release.sh), or download both again." :

    local.package_processor != var.architecture ?
    "${local.package_name} is for ${local.package_processor}, and architecture is ${var.architecture}. Set architecture = \"${local.package_processor}\", or take the other package: ./release.sh --architecture ${var.architecture}" :

    try(local.package_manifest.python, local.package_python) != local.package_python ?
    "${local.package_name} is for Python ${local.package_manifest.python}, and this module's function has ${local.package_python}: take module and package of one release." :

    null
  )
}

# Not refused: while something is mended, a person may want it so.
check "package_is_of_this_modules_version" {
  assert {
    condition     = try(local.package_manifest.version, local.module_version) == local.module_version
    error_message = "${local.package_name} is of ion ${try(local.package_manifest.version, "?")}, and this module of ${local.module_version}: they are tested together, so upgrade both (UPGRADE.md)."
  }
}
