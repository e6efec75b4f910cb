"""What AWS charges: list prices of us-east-1 in dollars, without free tiers.

From the pricing pages of Lambda, SQS, SNS, DynamoDB and CloudWatch as they were in March 2026.
"""

LAMBDA_GB_SECOND = 0.0000133334
"""On arm64, the first tier."""
LAMBDA_REQUEST = 0.20 / 1e6
LAMBDA_MB_PER_CPU = 1769
"""A function with this much memory has one CPU; with less, that much less of it."""

SNS_PUBLISH = 0.50 / 1e6
"""Up to 64 KB. Delivery to SQS and to Lambda is free."""

SQS_REQUEST = 0.40 / 1e6
"""Up to 64 KB; a larger one counts once for each 64 KB."""
SQS_CHUNK_BYTES = 64 * 1024

DYNAMODB_WRITE_UNIT = 0.625 / 1e6
"""On demand: a row of up to 1 KB, written or refused."""
DYNAMODB_READ_UNIT = 0.125 / 1e6
"""On demand: a row of up to 4 KB, read consistently."""
DYNAMODB_GB_MONTH = 0.25
DYNAMODB_RECOVERY_GB_MONTH = 0.20
"""Point-in-time recovery."""
DYNAMODB_ROW_OVERHEAD_BYTES = 100

LOG_GB = 0.50
"""Taken in; kept for 30 days it is 0.03 more."""
LOG_GB_MONTH = 0.03
METRIC_MONTH = 0.30
"""Of a metric of our own that is written in each hour of it; else so much less."""
ALARM_MONTH = 0.10
CLOUDWATCH_CALL = 0.01 / 1e3
"""SetAlarmState."""
