"""IAM and KMS: who may call what."""
