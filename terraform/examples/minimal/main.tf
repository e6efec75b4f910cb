# The smallest ion: config.cfg and config-secrets.cfg are inside the package.

module "ion" {
  source = "../.."

  # From, for messages that name no sender. SES's and SendGrid's usernames are no addresses, so there
  # it is needed; else the SMTP username would do.
  settings = { mail = { sender = "post@example.org" } }
}

output "publish_command" {
  description = "A first email, ready for the shell."
  value       = module.ion.publish_command
}
