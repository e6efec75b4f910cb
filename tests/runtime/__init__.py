"""The package under AWS's own runtime client, which is what calls it on Lambda."""
