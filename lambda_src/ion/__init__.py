"""ion: an email relay for AWS that loses no mail."""
