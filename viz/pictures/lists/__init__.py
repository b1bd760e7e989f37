"""Lists of pictures, such as all those of a manual: read from shots.toml, made, held against what is there."""
