"""What stands behind the ports: S3 and libmagic."""
