// Package marker, replaced by the target's first file.
