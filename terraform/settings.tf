# What the caller overrides of config.cfg, looked up in what the code knows (settings.json, which is made
# from lambda_src/ion/settings.py): a misspelt key is told by the plan, not by a function that sends nothing.

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
      for key, value in entries : upper("ion_${section}_${key}") => value
    }
  ]...)
}
