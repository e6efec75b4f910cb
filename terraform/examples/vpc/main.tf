# An ion inside a VPC that exists, for a mail server that only the VPC reaches: say, a Postfix on port 25.
# AWS itself is reached by endpoints, so that the subnets need no NAT gateway. They need one after all
# for a mail server on the internet, or to log in by OAuth 2.0, whose tokens come from there.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.80, < 7.0"
    }
  }
}

variable "vpc_id" {
  description = "Id of the VPC. It needs DNS support and DNS host names, for the endpoints' names."
  type        = string
}

variable "subnet_ids" {
  description = "Ids of private subnets in it, of two availability zones or more."
  type        = list(string)
}

variable "route_table_ids" {
  description = "Ids of the subnets' route tables, for the endpoint of DynamoDB."
  type        = list(string)
}

variable "mail_server" {
  description = "The mail server's addresses, as a CIDR block, and its port."
  type        = object({ cidr = string, port = number })
  default     = { cidr = "10.0.0.0/8", port = 25 }
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

module "ion" {
  source = "../.."

  settings = { mail = { sender = "post@example.org" } }
  secret_arn = format("arn:%s:ssm:%s:%s:parameter/ion/secrets",
    data.aws_partition.current.partition, data.aws_region.current.id, data.aws_caller_identity.current.account_id
  )

  vpc = {
    subnet_ids         = var.subnet_ids
    security_group_ids = [aws_security_group.ion.id]
  }
}

# What the function may reach

resource "aws_security_group" "ion" {
  name        = "ion"
  description = "ion: to its mail server, and to AWS"
  vpc_id      = var.vpc_id

  # And so, by way of this group, the function needs the endpoints: they are there before it, and a destroy
  # that is refused (protect_mail) leaves them. Said of the whole module it would make its policies "known
  # after apply" at each change of an endpoint.
  depends_on = [aws_vpc_endpoint.interface, aws_vpc_endpoint.dynamodb]
}

resource "aws_vpc_security_group_egress_rule" "mail_server" {
  security_group_id = aws_security_group.ion.id
  description       = "SMTP"
  cidr_ipv4         = var.mail_server.cidr
  ip_protocol       = "tcp"
  from_port         = var.mail_server.port
  to_port           = var.mail_server.port
}

resource "aws_vpc_security_group_egress_rule" "endpoints" {
  security_group_id            = aws_security_group.ion.id
  description                  = "AWS, by interface endpoints"
  referenced_security_group_id = aws_security_group.endpoints.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_vpc_security_group_egress_rule" "dynamodb" {
  security_group_id = aws_security_group.ion.id
  description       = "DynamoDB, by its gateway endpoint"
  prefix_list_id    = aws_vpc_endpoint.dynamodb.prefix_list_id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

# The endpoints: queues, the alarms that are set back, and the secret (secretsmanager, if it is there). The
# logs and the metrics in them are written by Lambda, the topics call the function, and keys are used by
# the services that hold what is encrypted: none of these needs an endpoint. S3 does, as a second gateway
# endpoint, where templates or attachments are in it.

resource "aws_security_group" "endpoints" {
  name        = "ion-endpoints"
  description = "AWS's interface endpoints, for ion"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "endpoints" {
  security_group_id            = aws_security_group.endpoints.id
  description                  = "ion"
  referenced_security_group_id = aws_security_group.ion.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_vpc_endpoint" "interface" {
  for_each = toset(["sqs", "monitoring", "ssm"])

  vpc_id              = var.vpc_id
  service_name        = "com.amazonaws.${data.aws_region.current.id}.${each.key}"
  vpc_endpoint_type   = "Interface"
  subnet_ids          = var.subnet_ids
  security_group_ids  = [aws_security_group.endpoints.id]
  private_dns_enabled = true
}

resource "aws_vpc_endpoint" "dynamodb" {
  vpc_id            = var.vpc_id
  service_name      = "com.amazonaws.${data.aws_region.current.id}.dynamodb"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = var.route_table_ids
}

output "publish_command" {
  description = "A first email, ready for the shell."
  value       = module.ion.publish_command
}
