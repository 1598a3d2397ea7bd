"""The components that `gen plugin new` writes, one file each: real modules, copied as they stand."""
