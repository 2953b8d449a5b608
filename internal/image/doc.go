// Package image reads and writes the files that hold a machine's memory.
//
// A [Reader] takes raw images, ELF cores and LiME dumps apart into regions
// that follow each other without gaps, so that the file can be built again
// byte for byte. An [Output] is a file that appears under its name only when
// it is complete.
package image
