"""Feed-forward blocks. One file each, found where it lies, built as the files of `mixer` are."""
