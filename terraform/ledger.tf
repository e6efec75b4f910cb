# Who got what, when, and what the mail server said to it: one row per email.

resource "aws_dynamodb_table" "ledger" {
  name         = local.table_names.ledger
  billing_mode = "PAY_PER_REQUEST" # mail comes in bursts, and nobody wants to plan capacity for it
  hash_key     = "email_id"
  tags         = var.tags

  attribute {
    name = "email_id"
    type = "S"
  }

  # By which feedback finds an email. An attribute that no index is on may not be named here.
  dynamic "attribute" {
    for_each = var.feedback == null ? [] : ["header_message_id"]
    content {
      name = attribute.value
      type = "S"
    }
  }

  dynamic "global_secondary_index" {
    for_each = var.feedback == null ? [] : [local.feedback_index]
    content {
      name            = global_secondary_index.value
      hash_key        = "header_message_id"
      projection_type = "KEYS_ONLY"
    }
  }

  # Early or late, within days: ion compares the time itself and takes this for housekeeping only.
  ttl {
    attribute_name = "expires_at"
    enabled        = true
  }

  # What is written there is told (events.tf).
  stream_enabled   = var.events != null
  stream_view_type = var.events == null ? null : "NEW_AND_OLD_IMAGES"

  # The ledger is what keeps a redelivered email from being sent twice.
  point_in_time_recovery {
    enabled = true
  }

  deletion_protection_enabled = var.protect_mail # made last, destroyed first: protect.tf

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
