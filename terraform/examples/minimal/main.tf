# The smallest ion: config.cfg and config-secrets.cfg are inside the package.

module "ion" {
  source = "../.."
}

output "publish_command" {
  description = "A first email, ready for the shell."
  value       = module.ion.publish_command
}
