# Two ions in one account: production, and staging, whose email stays inside. They share nothing
# but the package; the name tells them apart. Where both send by one mail server, they share its limits,
# too: so each has its part of max_rate.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.80, < 7.0"
    }
  }
}

module "production" {
  source = "../.."

  name = "mail"
  settings = {
    mail = { sender = "Shop <post@example.org>" }
    smtp = { max_rate = "12" }
  }
}

module "staging" {
  source = "../.."

  name        = "mail-staging"
  environment = "staging" # receives nothing unless a guard says whom email may reach
  settings = {
    mail  = { sender = "Shop, staging <post@staging.example.org>" }
    smtp  = { max_rate = "2", connections = "1" }
    guard = { only = "*@example.org" }
  }

  protect_mail = false # it is made and thrown away
}

output "publish_command" {
  description = "A first email, ready for the shell, by deployment."
  value       = { production = module.production.publish_command, staging = module.staging.publish_command }
}
