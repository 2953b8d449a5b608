// Package pagestream stores memory page by page in a stream that is
// compressed, checked, self-describing and seekable. SPEC.md beside this file
// specifies the format.
//
// A [Writer] takes regions of memory, in order, and never seeks. A [Reader]
// takes a stream from a pipe, with bounded memory. A [ReaderAt] reads any page
// of a stream that lies in a file, safely from many goroutines.
//
// A stream can hold what differs from an earlier one, its base, and rounds of
// pages that changed while it was written. An incremental snapshot is a stream
// whose [Options] have a Base; a ReaderAt that is given the base, too, reads it
// as if it were whole.
//
// A [FrameEncoder] and a [FrameDecoder] make and take single frames, for those
// who send pages by a protocol of their own.
package pagestream
