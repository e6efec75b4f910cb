# What the caller overrides of config.cfg, looked up in what the code knows (settings.json, which is made
# from lambda_src/ion/settings.py): a misspelt key is told by the plan, not by a function that sends nothing.

variable "settings" {
  description = "Overrides of config.cfg by section and key: { smtp = { connections = \"8\" } } is handed over as ION_SMTP_CONNECTIONS=8. { mail = { sender = \"name@example.org\" } } is needed if the SMTP username is no address, unless each message names its sender. Names in lower case, at most 2560 characters in all. No credentials: they would be readable in the state and in the function's configuration; see secret_arn."
  type        = map(map(string))
  default     = {}
  nullable    = false

  validation {
    condition = alltrue(flatten([
      for section, entries in var.settings : [
        for word in concat([section], keys(entries)) : can(regex("^[a-z][a-z0-9_]*$", word))
      ]
    ]))
    error_message = "Sections and keys in settings must match ^[a-z][a-z0-9_]*$."
  }

  validation {
    condition     = !contains(keys(var.settings), "aws")
    error_message = "The section aws in settings is refused: names and ARNs of resources are known to this module alone."
  }

  validation {
    condition = alltrue(flatten([
      for entries in values(var.settings) : [for key in keys(entries) : !can(regex("(^|_)(username|password)$|(^|_)oauth_", key))]
    ]))
    error_message = "username, password and oauth_ keys don't belong in settings, they would be readable in the state. Put them into config-secrets.cfg, or into the secret that secret_arn names."
  }

  validation {
    condition     = var.environment == "production" || try(var.settings.guard.required, "true") == "true"
    error_message = "settings.guard.required is always true where environment isn't \"production\": leave it out."
  }

  validation {
    # The grant is made from it (iam.tf), so no wildcard may be in it.
    condition     = can(regex("^(s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9!_.'()-]+)*/?)?$", try(var.settings.templates.s3, "")))
    error_message = "settings.templates.s3 must be s3://BUCKET/PREFIX, of letters, digits and !_.'()- between its slashes."
  }

  validation {
    # a = { b_c = … } and a_b = { c = … } would both be ION_A_B_C, and one would win in silence.
    condition = (
      length(flatten([for entries in values(var.settings) : keys(entries)])) ==
      length(toset(flatten([for section, entries in var.settings : [for key in keys(entries) : "${section}_${key}"]])))
    )
    error_message = "Two entries of settings make the same environment variable ION_<SECTION>_<KEY>."
  }

  validation {
    # Lambda allows 4 KB for all environment variables together; the module's own need less than 1.5 KB.
    condition = length(join("", flatten([
      for section, entries in var.settings : [for key, value in entries : "ION_${section}_${key}${value}" if value != null]
    ]))) <= 2560
    error_message = "settings must not exceed 2560 characters in all. What is longer belongs in config.cfg, inside the package."
  }
}

locals {
  setting_keys = jsondecode(file("${path.module}/settings.json"))

  # smtp_<name> is the section [smtp:<name>] of a further server, which has the keys of [smtp].
  settings_known = {
    for section in keys(var.settings) :
    section => lookup(local.setting_keys, startswith(section, "smtp_") ? "smtp" : section, [])
  }

  settings_faults = flatten([
    for section, entries in var.settings : length(local.settings_known[section]) == 0 ?
    ["settings has the section ${section}, which config.cfg doesn't have: there are ${join(", ", keys(local.setting_keys))}, and smtp_<name> for each further server."] :
    [
      for key in keys(entries) : "settings.${section} has ${key}, which ion doesn't know: there it knows ${join(", ", local.settings_known[section])}."
      if !contains(local.settings_known[section], key)
    ]
  ])

  settings_environment = merge([
    for section, entries in var.settings : {
      for key, value in entries : upper("ion_${section}_${key}") => value if value != null
    }
  ]...)
}
