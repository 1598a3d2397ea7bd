"""What `gen plugin new` writes: a whole plugin package for any kind of component, from files that lie here.

`kinds` says what a plugin of each kind holds, `render` makes the texts. `components/` are real modules, copied as they
stand; `recipes/` and `package/` are texts in which `$namespace` and the like are replaced.
"""
