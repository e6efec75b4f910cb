# Where publishers leave the fields of an email, if they like: then its message has only its key.

resource "aws_dynamodb_table" "outbox" {
  count = var.outbox ? 1 : 0

  name         = local.table_names.outbox
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "email_id"
  tags         = var.tags

  attribute {
    name = "email_id"
    type = "S"
  }

  # A publisher's, so that items needn't be deleted.
  ttl {
    attribute_name = "ttl"
    enabled        = true
  }

  # An item that is lost is an email that is lost.
  point_in_time_recovery {
    enabled = true
  }

  deletion_protection_enabled = var.protect_mail

  # Without the block DynamoDB encrypts all the same, by a key that AWS owns.
  dynamic "server_side_encryption" {
    for_each = var.kms_key_arn == null ? [] : [var.kms_key_arn]
    content {
      enabled     = true
      kms_key_arn = server_side_encryption.value
    }
  }

  depends_on = [terraform_data.all_but_tables]
}
