// Package pagestream stores memory page by page in a stream that is
// compressed, checked, self-describing and seekable. SPEC.md beside this file
// specifies the format.
//
// A [Writer] takes regions of memory, in order, and never seeks. A [Reader]
// takes a stream from a pipe, with bounded memory. A [ReaderAt] reads any page
// of a stream that lies in a file, safely from many goroutines.
package pagestream
