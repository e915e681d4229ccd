"""Pictures of designs as SVG: text, made of plain data, which loads nothing."""
