"""Generators and discriminators of images."""
