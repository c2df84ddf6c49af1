"""Object storage of Sheaf: hashed, typed, create-only puts and ranged gets over pooled S3."""
