"""bellwire among a desktop's programs: menu entry, icons, file types, manual page, completion."""
