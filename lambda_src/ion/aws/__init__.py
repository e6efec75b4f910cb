"""One adapter per AWS service; each speaks boto3 in threads and translates its errors."""
