"""What releases are made of: the Lambda package, the module, their schemas."""
