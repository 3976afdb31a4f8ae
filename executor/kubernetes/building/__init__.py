"""Builds of images in the cluster."""
